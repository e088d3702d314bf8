# tests that belong to nobody alone

# ---- lints: tests that read the sources, not the program ----
function(lint name)
  if(NOT BUILD_TESTING OR NOT Python3_FOUND)
    return()
  endif()
  add_test(NAME lint/${name} COMMAND ${ARGN} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(lint/${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600 LABELS lint)
endfunction()
lint(layers ${Python3_EXECUTABLE} tests/lint/layers.py)
lint(sizes ${Python3_EXECUTABLE} tests/lint/sizes.py)
lint(words ${Python3_EXECUTABLE} tests/lint/words.py)
lint(symbols ${Python3_EXECUTABLE} tests/lint/symbols.py ${CMAKE_BINARY_DIR})
lint(planted ${Python3_EXECUTABLE} tests/lint/planted_test.py)
lint(format tests/lint/format.sh)
lint(cppcheck tests/lint/cppcheck.sh)
lint(tidy tests/lint/tidy.sh ${CMAKE_BINARY_DIR})
room(harness NEEDS engine SOURCES
  tests/harness/tiny_model.c tests/harness/tiny_folder.c tests/harness/tiny_reference.c tests/harness/model_judge.c)
room(families NEEDS harness cmocka SOURCES tests/harness/families.c)
room(reference NEEDS harness cmocka SOURCES tests/harness/reference.c)
room_test(tests/golden/model_reference_test.c reference)
room_test(tests/golden/hf_folder_test.c reference)
room_test(tests/golden/families_test.c families)
room_test(tests/golden/gemma3_reference_test.c harness)
room_test(tests/golden/convert_expect_test.c engine)
room(step_bench NEEDS engine SOURCES tests/harness/step_fake.c tests/harness/step_bench.c)
room(vocab_file NEEDS engine SOURCES tests/harness/vocab_file.c)
room_test(tests/golden/tokenizer_vectors_test.c vocab_file)
room(json_case NEEDS base SOURCES tests/harness/json_case.c)
room(matcher_case NEEDS engine SOURCES tests/harness/matcher_case.c)
room(maskbench NEEDS base SOURCES tests/harness/maskbench.c)
room_test(tests/golden/maskbench_test.c json_case matcher_case maskbench)
room_test(tests/golden/schema_suite_test.c json_case matcher_case)
room_test(tests/golden/mask_vocab_test.c vocab_file json_case maskbench)
room(engine_jobs NEEDS engine cmocka SOURCES tests/harness/engine_jobs.c
  tests/harness/attention_halves.c)
if(COHORT_EMU)
  room_test(tests/emu/engine_test.c engine_jobs harness)
  room_test(tests/emu/families_test.c families)
  room_test(tests/emu/engine_company_test.c engine_jobs harness)
  room_test(tests/emu/engine_seeds_test.c engine_jobs harness)
  if(BUILD_TESTING)
    set_tests_properties(tests/emu/engine_company tests/emu/engine_seeds PROPERTIES LABELS emu)
  endif()
  foreach(test engine families)
    if(BUILD_TESTING)
      set_tests_properties(tests/emu/${test} PROPERTIES LABELS emu)
    endif()
    if(BUILD_TESTING AND COHORT_CUDA)
      add_test(NAME tests/emu/${test}_cuda COMMAND tests_emu_${test}_test cuda
        WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
      set_tests_properties(tests/emu/${test}_cuda PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600
        LABELS gpu)
    endif()
  endforeach()
endif()
if(BUILD_TESTING)
  set_tests_properties(tests/golden/tokenizer_vectors tests/golden/gemma3_reference
    PROPERTIES LABELS slow)
endif()

# ---- every kernel through nvcc, where there is one ----
if(BUILD_TESTING AND Python3_FOUND)
  add_test(NAME tests/gate/compile COMMAND ${Python3_EXECUTABLE} tests/gate/compile_test.py
    ${COHORT_CACHE}/gate ${cuda_flags} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(tests/gate/compile PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 1200 LABELS gate)
endif()

# ---- rounds against a scripted server and a scripted worker ----
if(COHORT_TOOLS)
  room(scripted_server NEEDS base SOURCES tests/harness/scripted_server.c)
  room_test(tests/e2e/remote_test.c minions scripted_server)
  room_test(tests/e2e/remote_kept_test.c minions scripted_server)
  room(scripted_worker NEEDS base SOURCES tests/harness/scripted_worker.c)
  room(round_fixture NEEDS minions scripted_server scripted_worker cmocka
    SOURCES tests/harness/round_fixture.c)
  foreach(test round round_faults minion)
    room_test(tests/e2e/${test}_test.c round_fixture)
  endforeach()
  if(BUILD_TESTING)
    foreach(test extract jobs journal supervisor_local)
      target_link_libraries(protocol_minions_${test}_test PRIVATE scripted_worker)
    endforeach()
  endif()
endif()

# ---- a device that fails in the middle of a run: its kernel writes to address 0, which a
# sanitizer would stop before the emulator sees it ----
if(COHORT_TOOLS AND COHORT_EMU AND BUILD_TESTING AND NOT COHORT_SANITIZE)
  room_test(tests/emu/engine_failure_test.c tools harness)
  target_sources(tests_emu_engine_failure_test PRIVATE tests/harness/failing_launch.cc)
  target_link_options(tests_emu_engine_failure_test PRIVATE
    -Wl,--wrap=emu_launch_run)
  set_tests_properties(tests/emu/engine_failure PROPERTIES LABELS emu)
endif()

# ---- the binary as people meet it ----
set(light 0)
if(COHORT_SANITIZE)
  set(light 1)
endif()
# Tests that compute much and need no second thread for what they say; under sanitizers they have
# as many threads as there are cores, like all others.
set(binary_one_core ask batch batches serve_fields serve_openai other_clients reference_clients)
function(binary_test name)
  if(NOT BUILD_TESTING OR NOT Python3_FOUND)
    return()
  endif()
  set(one_core)
  if(name IN_LIST binary_one_core AND NOT COHORT_SANITIZE)
    set(one_core ${Python3_EXECUTABLE} tests/harness/one_core.py ${PROJECT_BINARY_DIR})
  endif()
  add_test(NAME tests/e2e/${name} COMMAND ${one_core} ${Python3_EXECUTABLE}
    tests/e2e/${name}_test.py $<TARGET_FILE:cohort> WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(tests/e2e/${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600
    ENVIRONMENT "COHORT_STATE=${PROJECT_BINARY_DIR}/state;COHORT_TEST_LIGHT=${light};COHORT_PICTURES=${PROJECT_BINARY_DIR}/pictures")
endfunction()
if(COHORT_TOOLS)
  binary_test(cli)
  binary_test(batch)
  binary_test(pull)
  binary_test(embed)
  binary_test(perplexity)
  binary_test(dsl)
  binary_test(runs)
  binary_test(kill)
  binary_test(documents)
  binary_test(eval)
  binary_test(workers)
  binary_test(receipts)
  binary_test(ask)
  binary_test(serve)
  binary_test(serve_http)
  binary_test(serve_fields)
  binary_test(serve_load)
  binary_test(page)
  binary_test(serve_openai)
  binary_test(openai_clients)
  binary_test(other_clients)
  binary_test(reference_clients)
  binary_test(batches)
  if(TEST tests/e2e/workers)
    set_tests_properties(tests/e2e/workers tests/e2e/receipts PROPERTIES LABELS slow)
  endif()
  if(TEST tests/e2e/ask)
    set_tests_properties(tests/e2e/ask tests/e2e/batches PROPERTIES LABELS slow)
  endif()
  if(TEST tests/e2e/openai_clients AND NOT COHORT_SANITIZE) # there a small model makes them short
    set_tests_properties(tests/e2e/openai_clients tests/e2e/other_clients
      tests/e2e/reference_clients PROPERTIES LABELS slow)
  endif()
endif()

# ---- fuzz targets (preset asan): the parser's own files are instrumented, the rest not ----
# It doubles the time of tests that compute much: files of those rooms are compiled once more.
function(fuzz name)
  if(NOT COHORT_FUZZ)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "ROOMS;SOURCES" ${ARGN})
  list(JOIN rooms_cold "|" cold)
  set(again ${arg_SOURCES})
  list(FILTER again EXCLUDE REGEX "(^|/)(${cold})/")
  list(FILTER arg_SOURCES INCLUDE REGEX "(^|/)(${cold})/")
  add_executable(${name} tests/fuzz/${name}.c ${again})
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer-no-link)
  set_property(SOURCE ${arg_SOURCES} APPEND PROPERTY COMPILE_OPTIONS -fsanitize=fuzzer-no-link -O1)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(${name} PRIVATE warnings ${arg_ROOMS})
  add_test(NAME fuzz/${name} COMMAND ${Python3_EXECUTABLE} tests/fuzz/run.py $<TARGET_FILE:${name}>
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(fuzz/${name} PROPERTIES TIMEOUT 3600 LABELS fuzz)
endfunction()
fuzz(gguf_fuzz ROOMS engine SOURCES engine/gguf.c engine/gguf_get.c engine/model_config.c)
fuzz(safetensors_fuzz ROOMS engine SOURCES engine/safetensors.c engine/hf_names.c base/json_check.c)
fuzz(tokenizer_fuzz ROOMS tokenizer SOURCES tokenizer/tokenizer_json.c tokenizer/tokenizer.c
  tokenizer/special.c tokenizer/vocab.c tokenizer/bpe.c tokenizer/bpe_words.c tokenizer/pretokenize.c
  tokenizer/split_class.c tokenizer/split_parse.c tokenizer/split_program.c
  tokenizer/split_automaton.c tokenizer/normalizer.c tokenizer/normalize.c tokenizer/unigram.c
  tokenizer/words.c tokenizer/word_cache.c
  tokenizer/json_part.c tokenizer/tokenizer_json_steps.c tokenizer/charsmap.c tokenizer/cluster.c)
fuzz(chat_fuzz ROOMS tokenizer SOURCES tokenizer/chat_template.c tokenizer/jinja_lex.c
  tokenizer/jinja_expr.c tokenizer/jinja_parse.c tokenizer/jinja_run.c tokenizer/jinja_eval.c
  tokenizer/jinja_filter.c tokenizer/jinja_format.c tokenizer/jinja_method.c tokenizer/jinja_member.c)
fuzz(schema_fuzz ROOMS engine SOURCES engine/copied.c engine/copied_text.c
  engine/automaton.c engine/regex.c engine/regex_parse.c engine/regex_utf8.c engine/regex_open.c
  engine/regex_property.c
  engine/schema_ref.c engine/schema_parts.c engine/schema_facts.c engine/schema_evaluated.c
  engine/schema_choice.c
  engine/schema_want.c engine/schema_text.c engine/schema_number.c engine/schema_build.c
  engine/schema_needs.c engine/schema_names.c engine/schema_progress.c engine/schema_object.c engine/schema_array.c
  engine/schema_fewest.c engine/schema.c engine/matcher_copy.c engine/matcher_compact.c engine/automaton_plain.c
  engine/matcher.c engine/matcher_frames.c engine/matcher_parents.c engine/matcher_property.c)
fuzz(copied_fuzz ROOMS engine SOURCES engine/copied.c engine/copied_text.c)
if(COHORT_TOOLS)
  fuzz(ask_fuzz ROOMS api SOURCES protocol/api/endpoints.c protocol/api/ask.c
    protocol/api/messages.c protocol/api/anthropic_talk.c protocol/api/field.c protocol/api/openai.c protocol/api/response_format.c protocol/api/tokenize.c)
  fuzz(json_fuzz ROOMS api SOURCES base/json.c base/json_check.c base/json_write.c base/text.c
    protocol/api/batch_file.c protocol/api/id_set.c protocol/api/ask.c protocol/api/field.c
    protocol/api/openai_body.c protocol/api/openai.c protocol/api/openai_text.c
    protocol/api/openai_embed.c protocol/api/openai_responses.c protocol/api/response_format.c
    protocol/api/tools.c protocol/api/tool_calls.c protocol/api/messages.c
    protocol/api/ollama.c protocol/api/anthropic.c protocol/api/anthropic_talk.c)
  fuzz(multipart_fuzz ROOMS api SOURCES protocol/api/multipart.c)
  fuzz(reply_fuzz ROOMS minions SOURCES protocol/minions/remote_wire.c protocol/minions/sse.c
    protocol/minions/job_output.c protocol/minions/fold.c)
  fuzz(record_fuzz ROOMS minions SOURCES protocol/minions/remote_record.c)
  fuzz(questions_fuzz ROOMS tools SOURCES tools/eval_questions.c protocol/api/batch_file.c
    protocol/api/id_set.c)
  fuzz(documents_fuzz ROOMS minions SOURCES protocol/minions/document_kind.c
    protocol/minions/document_text.c protocol/minions/document_entity.c
    protocol/minions/document_html.c protocol/minions/document_charset.c protocol/minions/document_docx.c protocol/minions/document_docx_body.c
    protocol/minions/document_ignore.c protocol/minions/document.c)
  if(COHORT_FUZZ) # all of the room reads what came from outside
    target_compile_options(dsl PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  fuzz(dsl_source_fuzz ROOMS dsl)
  fuzz(dsl_tree_fuzz ROOMS dsl)
endif()

# ---- dsl ----
if(COHORT_TOOLS)
  room_test(tests/dsl/golden_test.c dsl)
  room_test(tests/dsl/replay_test.c dsl)
  room_test(tests/dsl/bombs_test.c dsl)
  set_tests_properties(tests/dsl/bombs PROPERTIES LABELS slow)
  room_test(tests/dsl/parse_time_test.c dsl)
  if(BUILD_TESTING AND Python3_FOUND)
    add_test(NAME tests/dsl/oracle COMMAND ${Python3_EXECUTABLE} tests/dsl/oracle.py
      $<TARGET_FILE:tests_dsl_golden_test> 300 1 WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    add_test(NAME tests/dsl/programs COMMAND ${Python3_EXECUTABLE} tests/dsl/programs_test.py
      $<TARGET_FILE:cohort> 8 WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(tests/dsl/oracle tests/dsl/programs PROPERTIES
      SKIP_RETURN_CODE 77 TIMEOUT 600)
  endif()
endif()

# ---- the longest begin first, so that no core is idle at the end ----
foreach(test tests/gate/compile tests/e2e/ask tests/e2e/cli tests/e2e/batch tests/emu/engine
    tests/emu/engine_seeds tests/emu/engine_company tests/golden/model_reference engine/step
    tools/kbench_case emu-faults/attention-1 emu-faults/attention-2)
  if(TEST ${test})
    set_tests_properties(${test} PROPERTIES COST 100)
  endif()
endforeach()
