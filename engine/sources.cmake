# room engine
room(engine NEEDS kernels tokenizer base SOURCES
  engine/gguf.c engine/gguf_get.c engine/gguf_vocab.c engine/gguf_split.c
  engine/safetensors.c engine/hf_names.c engine/hf_config.c engine/hf_folder.c engine/hf_tokenizer.c engine/model_file.c
  engine/model_config.c engine/model_rope.c engine/quant_report.c
  engine/int8_file.c engine/gguf_write.c engine/quant_file.c engine/weights.c engine/model.c
  engine/model_synthetic.c engine/batch_pad.c engine/batch_stage.c
  engine/forward.c engine/forward_buffers.c engine/forward_graph.c
  engine/model_run.c engine/text_loss.c
  engine/kv_pool.c engine/kv_prefix.c engine/stop.c
  engine/copied_text.c engine/copied.c engine/automaton.c engine/automaton_plain.c engine/regex.c engine/regex_parse.c engine/regex_utf8.c engine/regex_open.c
  engine/regex_property.c
  engine/schema_ref.c engine/schema_parts.c engine/schema_facts.c engine/schema_evaluated.c engine/schema_choice.c engine/schema_want.c
  engine/schema_text.c engine/schema_number.c engine/schema_build.c engine/schema_needs.c
  engine/schema_names.c engine/schema_progress.c engine/schema_object.c engine/schema_array.c engine/schema_fewest.c engine/schema.c engine/matcher_copy.c engine/matcher.c engine/matcher_frames.c engine/matcher_parents.c engine/matcher_property.c
  engine/matcher_text.c engine/matcher_inside.c engine/matcher_fewest.c engine/matcher_compact.c engine/vocab_texts.c engine/vocab_tree.c engine/constraint.c engine/constraint_table.c
  engine/mask_walk.c engine/masks.c
  engine/seq.c engine/seen.c engine/draft.c engine/waiting.c engine/sched.c engine/batch_build.c engine/step.c
  engine/step_output.c engine/step_draft.c engine/step_sample.c engine/step_shape.c engine/step_view.c engine/engine_check.c engine/engine_plan.c engine/engine_port.c
  engine/engine_job.c engine/engine.c)

# Tests that need a whole model.
foreach(test engine_model_test engine_forward_test engine_quant_report_test engine_int8_file_test
  engine_quant_file_test engine_text_loss_test engine_engine_test)
  if(TARGET ${test})
    target_link_libraries(${test} PRIVATE harness)
  endif()
endforeach()
foreach(test engine_matcher_test engine_matcher_copy_test engine_schema_number_test)
  if(TARGET ${test})
    target_link_libraries(${test} PRIVATE matcher_case)
  endif()
endforeach()
if(TARGET engine_hf_tokenizer_test)
  target_link_libraries(engine_hf_tokenizer_test PRIVATE reference)
endif()
foreach(test engine_engine_test engine_engine_port_test)
  if(TARGET ${test})
    target_link_libraries(${test} PRIVATE harness engine_jobs)
  endif()
endforeach()
if(TARGET engine_step_test)
  target_link_libraries(engine_step_test PRIVATE step_bench)
endif()
room_test(engine/engine_options_test.c engine harness engine_jobs)
room_test(engine/engine_shape_test.c engine harness engine_jobs)
room_test(engine/engine_copied_test.c engine harness engine_jobs)

# The tests that take steps once more, with a step whose rare events happen at every turn.
if(COHORT_HARD AND BUILD_TESTING)
  add_library(step_hard OBJECT engine/step.c)
  target_compile_definitions(step_hard PRIVATE COHORT_HARD)
  target_link_libraries(step_hard PRIVATE engine warnings)
  foreach(test step engine engine_copied engine_options engine_port engine_shape)
    get_target_property(rooms engine_${test}_test LINK_LIBRARIES)
    add_executable(hard_${test}_test engine/${test}_test.c $<TARGET_OBJECTS:step_hard>)
    target_compile_definitions(hard_${test}_test PRIVATE COHORT_HARD)
    target_compile_options(hard_${test}_test PRIVATE ${tests_optimize})
    target_link_libraries(hard_${test}_test PRIVATE ${rooms})
    add_test(NAME hard/${test} COMMAND hard_${test}_test WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(hard/${test} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600 LABELS hard)
  endforeach()
endif()
