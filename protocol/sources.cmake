# room protocol: dsl and minions

# ---- minions ----
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(ZIP REQUIRED IMPORTED_TARGET libzip)
room(minions NEEDS base dsl engine tokenizer PkgConfig::CURL PkgConfig::SQLITE PkgConfig::ZIP m SOURCES
  protocol/minions/fold.c protocol/minions/question.c
  protocol/minions/sentence.c protocol/minions/ledger.c
  protocol/minions/document_file.c protocol/minions/document_kind.c
  protocol/minions/document_text.c protocol/minions/document_entity.c
  protocol/minions/document_html.c protocol/minions/document_charset.c protocol/minions/document_docx.c protocol/minions/document_docx_body.c
  protocol/minions/document_child.c protocol/minions/document_pdf.c
  protocol/minions/document_ignore.c protocol/minions/document_walk.c
  protocol/minions/document.c protocol/minions/documents.c
  protocol/minions/sse.c protocol/minions/egress.c protocol/minions/remote_wire.c
  protocol/minions/remote_http.c protocol/minions/remote_record.c protocol/minions/remote.c
  protocol/minions/job_output.c protocol/minions/prompts.c
  protocol/minions/aggregate.c protocol/minions/worker_engine.c protocol/minions/journal.c protocol/minions/journal_lock.c
  protocol/minions/journal_tables.c
  protocol/minions/worker_groups.c protocol/minions/worker_fleet.c protocol/minions/worker_remote.c
  protocol/minions/news.c protocol/minions/jobs.c
  protocol/minions/extract.c protocol/minions/supervisor_local.c
  protocol/minions/supervisor_remote.c protocol/minions/cite.c protocol/minions/minion.c
  protocol/minions/round.c protocol/minions/judge_number.c protocol/minions/judge.c
  protocol/minions/whole.c)

# ---- api ----
set_source_files_properties(protocol/api/page.c PROPERTIES
  COMPILE_DEFINITIONS PAGE_FILE="${PROJECT_SOURCE_DIR}/protocol/api/page.html"
  OBJECT_DEPENDS ${PROJECT_SOURCE_DIR}/protocol/api/page.html)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd)
room(api NEEDS base engine tokenizer PkgConfig::MICROHTTPD PkgConfig::SQLITE m SOURCES
  protocol/api/id_set.c protocol/api/batch_file.c protocol/api/batch_jobs.c
  protocol/api/store_query.c protocol/api/store_batches.c protocol/api/store.c
  protocol/api/batches.c protocol/api/batch_calls.c
  protocol/api/multipart.c protocol/api/field.c protocol/api/ask.c protocol/api/ask_run.c protocol/api/messages.c
  protocol/api/response_format.c protocol/api/openai_body.c protocol/api/openai.c
  protocol/api/logprob.c protocol/api/tool_calls.c protocol/api/tools.c protocol/api/reply.c protocol/api/openai_reply.c
  protocol/api/openai_text.c protocol/api/openai_embed.c protocol/api/refusal.c
  protocol/api/openai_responses.c protocol/api/openai_responses_reply.c
  protocol/api/ollama.c protocol/api/ollama_reply.c protocol/api/ollama_models.c
  protocol/api/anthropic.c protocol/api/anthropic_talk.c protocol/api/anthropic_reply.c
  protocol/api/http_gate.c protocol/api/http_deadline.c protocol/api/http_exchange.c
  protocol/api/http_read.c protocol/api/http.c protocol/api/metrics.c protocol/api/tokenize.c
  protocol/api/page.c protocol/api/keys.c protocol/api/admission.c protocol/api/endpoints.c
  protocol/api/flight.c protocol/api/flights_start.c protocol/api/flights.c protocol/api/server_facts.c protocol/api/server_route.c
  protocol/api/server.c)

# ---- dsl ----
# Tree-sitter's core and Python grammar, as unpacked source packages. The grammar lacks the
# core's internal headers, so they are put on its include path.
set(tree_core ${COHORT_DEPS}/tree-sitter-0.24.0/tree_sitter/core/lib)
set(tree_python ${COHORT_DEPS}/tree_sitter_python-0.23.6/src)
foreach(header parser alloc array ts_assert)
  configure_file(${tree_core}/src/${header}.h ${CMAKE_BINARY_DIR}/tree-sitter/tree_sitter/${header}.h
                 COPYONLY)
endforeach()
add_library(treesitter STATIC ${tree_core}/src/lib.c ${tree_python}/parser.c
                              ${tree_python}/scanner.c)
target_include_directories(treesitter SYSTEM PUBLIC ${tree_core}/include
                           PRIVATE ${tree_core}/src ${CMAKE_BINARY_DIR}/tree-sitter)
target_compile_options(treesitter PRIVATE -w -fvisibility=hidden ${checks_by_calls}
  ${checks_but_pointers})
if(COHORT_SANITIZE MATCHES "thread")
  target_compile_options(treesitter PRIVATE -O0)
endif()
target_compile_definitions(treesitter PRIVATE _GNU_SOURCE)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
room(dsl NEEDS base treesitter PkgConfig::RE2 m SOURCES
  protocol/dsl/args.c protocol/dsl/attribute.c protocol/dsl/builtins.c
  protocol/dsl/builtins_iter.c protocol/dsl/chunk.c protocol/dsl/chunk_code.c
  protocol/dsl/compare.c protocol/dsl/dict.c protocol/dsl/retrieve.c
  protocol/dsl/dsl.c protocol/dsl/limits.c protocol/dsl/message.c protocol/dsl/program.c
  protocol/dsl/sandbox.c protocol/dsl/dsl_source.c protocol/dsl/eval.c protocol/dsl/eval_call.c
  protocol/dsl/eval_comp.c protocol/dsl/eval_expr.c protocol/dsl/eval_ops.c
  protocol/dsl/eval_target.c protocol/dsl/exception.c protocol/dsl/format.c
  protocol/dsl/format_spec.c protocol/dsl/interp.c protocol/dsl/iter.c protocol/dsl/list.c
  protocol/dsl/lower.c protocol/dsl/lower_check.c protocol/dsl/lower_def.c protocol/dsl/lower_expr.c
  protocol/dsl/lower_string.c protocol/dsl/methods_dict.c protocol/dsl/methods_find.c
  protocol/dsl/methods_list.c protocol/dsl/methods_set.c protocol/dsl/methods_text.c
  protocol/dsl/modules.c protocol/dsl/modules_choices.c protocol/dsl/modules_collections.c protocol/dsl/modules_itertools.c
  protocol/dsl/modules_json.c protocol/dsl/modules_json_read.c protocol/dsl/modules_math.c
  protocol/dsl/modules_re.c protocol/dsl/modules_re_match.c protocol/dsl/modules_text.c
  protocol/dsl/modules_whole.c protocol/dsl/number.c
  protocol/dsl/parse.c protocol/dsl/provenance.c protocol/dsl/record.c
  protocol/dsl/regex_re2.cc protocol/dsl/regex_check.c protocol/dsl/regex_translate.c protocol/dsl/repr.c
  protocol/dsl/scope.c protocol/dsl/sets.c protocol/dsl/signature.c protocol/dsl/str.c protocol/dsl/type.c
  protocol/dsl/type_construct.c protocol/dsl/unicode.c protocol/dsl/unicode_tables.c
  protocol/dsl/views.c)
