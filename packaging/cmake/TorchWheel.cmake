# Imported targets over the pinned torch wheel: torchwheel::cpu and, where the wheel's NVIDIA parts are installed, torchwheel::cuda.
# find_package(Torch) is not used: with C++20 and CMake 3.25 it fails, and it needs nvcc at configure time.

set(POLYPTYCH_TORCH_VERSION 2.11.0)

if(NOT POLYPTYCH_PYTHON_ENV)
  message(FATAL_ERROR "POLYPTYCH_PYTHON_ENV is not set. Start packaging/run or packaging/test, which set up the pinned torch wheel, "
    "or configure with the preset no-torch.")
endif()
file(GLOB torch_dirs "${POLYPTYCH_PYTHON_ENV}/lib/python3*/site-packages/torch")
list(LENGTH torch_dirs torch_count)
if(NOT torch_count EQUAL 1)
  message(FATAL_ERROR "No torch wheel under ${POLYPTYCH_PYTHON_ENV}. Run packaging/test --setup-only (or packaging/run) and configure again.")
endif()
set(TORCHWHEEL_DIR "${torch_dirs}")
file(STRINGS "${TORCHWHEEL_DIR}/version.py" version_line REGEX "^__version__")
if(NOT version_line MATCHES "'${POLYPTYCH_TORCH_VERSION}[+']")
  message(FATAL_ERROR "The torch wheel in ${TORCHWHEEL_DIR} is not ${POLYPTYCH_TORCH_VERSION} (${version_line}): its C++ interface differs. "
    "Delete that environment and run packaging/test --setup-only.")
endif()
get_filename_component(site_packages "${TORCHWHEEL_DIR}" DIRECTORY)
set(TORCHWHEEL_NVIDIA "${site_packages}/nvidia")

function(torchwheel_shared target file)
  add_library(${target} SHARED IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION "${file}")
endfunction()

torchwheel_shared(torchwheel::c10_library "${TORCHWHEEL_DIR}/lib/libc10.so")
torchwheel_shared(torchwheel::torch_cpu_library "${TORCHWHEEL_DIR}/lib/libtorch_cpu.so")

add_library(torchwheel_headers INTERFACE)
target_include_directories(torchwheel_headers SYSTEM INTERFACE
  "${TORCHWHEEL_DIR}/include" "${TORCHWHEEL_DIR}/include/torch/csrc/api/include")

# --allow-shlib-undefined: libtorch_cpu.so names its own NVIDIA parts through an RPATH that the link editor does not follow.
add_library(torchwheel_cpu INTERFACE)
target_link_libraries(torchwheel_cpu INTERFACE torchwheel_headers torchwheel::torch_cpu_library torchwheel::c10_library)
target_link_options(torchwheel_cpu INTERFACE -Wl,--allow-shlib-undefined)
add_library(torchwheel::cpu ALIAS torchwheel_cpu)

set(TORCHWHEEL_HAS_CUDA OFF)
if(POLYPTYCH_WITH_CUDA AND EXISTS "${TORCHWHEEL_NVIDIA}/nccl/lib/libnccl.so.2" AND EXISTS "${TORCHWHEEL_NVIDIA}/cu13/lib/libcudart.so.13")
  set(TORCHWHEEL_HAS_CUDA ON)
  torchwheel_shared(torchwheel::torch_cuda_library "${TORCHWHEEL_DIR}/lib/libtorch_cuda.so")
  torchwheel_shared(torchwheel::c10_cuda_library "${TORCHWHEEL_DIR}/lib/libc10_cuda.so")
  torchwheel_shared(torchwheel::cudart_library "${TORCHWHEEL_NVIDIA}/cu13/lib/libcudart.so.13")
  torchwheel_shared(torchwheel::nccl_library "${TORCHWHEEL_NVIDIA}/nccl/lib/libnccl.so.2")
  add_library(torchwheel_cuda INTERFACE)
  target_include_directories(torchwheel_cuda SYSTEM INTERFACE "${TORCHWHEEL_NVIDIA}/cu13/include" "${TORCHWHEEL_NVIDIA}/nccl/include")
  # libtorch_cuda registers its operators from static objects: without --no-as-needed the linker drops it.
  target_link_options(torchwheel_cuda INTERFACE -Wl,--allow-shlib-undefined)
  target_link_libraries(torchwheel_cuda INTERFACE torchwheel_cpu -Wl,--no-as-needed torchwheel::torch_cuda_library torchwheel::c10_cuda_library
    torchwheel::cudart_library torchwheel::nccl_library -Wl,--as-needed)
  add_library(torchwheel::cuda ALIAS torchwheel_cuda)
endif()
message(STATUS "torch ${POLYPTYCH_TORCH_VERSION} in ${TORCHWHEEL_DIR} (CUDA parts: ${TORCHWHEEL_HAS_CUDA})")
