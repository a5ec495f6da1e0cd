# Every foreign library, once. Reasons are in docs/dependencies.md.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(simdjson REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(SQLite3 REQUIRED)
set(WEIR_ALLOCATOR "")
if(NOT WEIR_SANITIZE)  # a sanitizer brings its own allocator
  find_package(mimalloc REQUIRED)
  set(WEIR_ALLOCATOR mimalloc)
endif()

# Only its header: the library is loaded when the ledger is PostgreSQL (src/store).
find_path(WEIR_LIBPQ_INCLUDE libpq-fe.h PATH_SUFFIXES postgresql REQUIRED)

# yaml-cpp 0.7 exports a plain name, 0.8 a namespaced one.
if(NOT TARGET yaml-cpp::yaml-cpp)
  add_library(yaml-cpp::yaml-cpp ALIAS yaml-cpp)
endif()

# Asio: its sources are compiled once (src/net/asio.cpp), everything else sees declarations.
add_library(weir_asio INTERFACE)
target_link_libraries(weir_asio INTERFACE Boost::headers Threads::Threads)
target_compile_definitions(weir_asio INTERFACE
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=2)
