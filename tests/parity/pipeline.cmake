# Whole pictures against diffusers, and the same through polyptych-cli.
if(TARGET polyptych_diffusion)
  add_executable(pipeline_probe pipeline_probe.cpp)
  target_link_libraries(pipeline_probe PRIVATE polyptych_flags polyptych_diffusion nlohmann_json::nlohmann_json)
  polyptych_parity_test(pipeline_parity TIMEOUT 600
    COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/pipeline_parity.py" $<TARGET_FILE:pipeline_probe> "${POLYPTYCH_PARITY_MODELS}")
endif()
