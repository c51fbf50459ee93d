add_executable(tokenizer_probe tokenizer_probe.cpp)
target_link_libraries(tokenizer_probe PRIVATE polyptych_flags polyptych_tokenizer nlohmann_json::nlohmann_json)
set_target_properties(tokenizer_probe PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
add_test(NAME parity_tokenizer
  COMMAND "${CMAKE_COMMAND}" -E env PYTHONDONTWRITEBYTECODE=1 HF_HUB_OFFLINE=1
    "${POLYPTYCH_PYTHON_ENV}/bin/python" "${CMAKE_CURRENT_LIST_DIR}/tokenizer_parity.py" --probe $<TARGET_FILE:tokenizer_probe>)
set_tests_properties(parity_tokenizer PROPERTIES LABELS parity TIMEOUT 300 SKIP_RETURN_CODE 77)
