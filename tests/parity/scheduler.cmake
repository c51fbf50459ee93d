# Every scheduler, step by step.
if(TARGET polyptych_diffusion)
  add_executable(scheduler_probe scheduler_probe.cpp)
  target_link_libraries(scheduler_probe PRIVATE polyptych_flags polyptych_diffusion nlohmann_json::nlohmann_json)
  polyptych_parity_test(scheduler_parity TIMEOUT 600
    COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/scheduler_parity.py" $<TARGET_FILE:scheduler_probe>)
endif()
