# Whole pictures against diffusers, and the same through polyptych-cli.
if(TARGET polyptych_diffusion)
  add_executable(pipeline_probe pipeline_probe.cpp)
  target_link_libraries(pipeline_probe PRIVATE polyptych_flags polyptych_diffusion nlohmann_json::nlohmann_json)
  polyptych_parity_test(pipeline_parity TIMEOUT 600
    COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/pipeline_parity.py" $<TARGET_FILE:pipeline_probe> "${POLYPTYCH_PARITY_MODELS}")
endif()
if(TARGET polyptych-worker AND TARGET polyptych-cli)
  polyptych_parity_test(cli_parity TIMEOUT 600
    COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/cli_parity.py" $<TARGET_FILE:polyptych-cli> "${POLYPTYCH_PARITY_MODELS}")
endif()
# A model of Stable Diffusion 1.5's size (4 GB, made once in the cache folder): packaging/test --full.
if(TARGET polyptych_diffusion)
  set(sd15 "$ENV{HOME}/.cache/polyptych/sd15")
  if(DEFINED ENV{XDG_CACHE_HOME})
    set(sd15 "$ENV{XDG_CACHE_HOME}/polyptych/sd15")
  endif()
  add_test(NAME parity_model_sd15 COMMAND "${POLYPTYCH_PARITY_PYTHON}" "${CMAKE_CURRENT_SOURCE_DIR}/make_models.py" --sd15 "${sd15}")
  set_tests_properties(parity_model_sd15 PROPERTIES LABELS "full" TIMEOUT 900 SKIP_RETURN_CODE 77 FIXTURES_SETUP parity_model_sd15)
  polyptych_parity_test(pipeline_parity_sd15 TIMEOUT 1800
    COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/pipeline_parity.py" --full $<TARGET_FILE:pipeline_probe> "${sd15}")
  set_tests_properties(pipeline_parity_sd15 PROPERTIES LABELS "full" FIXTURES_REQUIRED parity_model_sd15)
  polyptych_parity_test(network_parity_sd15 TIMEOUT 1800
    COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/network_parity.py" --full $<TARGET_FILE:network_probe> "${sd15}")
  set_tests_properties(network_parity_sd15 PROPERTIES LABELS "full" FIXTURES_REQUIRED parity_model_sd15)
endif()
