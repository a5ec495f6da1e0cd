# config/prices.yaml becomes part of the binary, which then needs no file beside it.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/config/prices.yaml)
file(READ ${PROJECT_SOURCE_DIR}/config/prices.yaml WEIR_PRICES)
configure_file(${CMAKE_CURRENT_LIST_DIR}/prices_text.cpp.in ${CMAKE_CURRENT_BINARY_DIR}/settings/prices_text.cpp @ONLY)
target_sources(weir_settings PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/settings/prices_text.cpp)
# config/providers.yaml too.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/config/providers.yaml)
file(READ ${PROJECT_SOURCE_DIR}/config/providers.yaml WEIR_PROVIDER_ERRORS)
configure_file(${CMAKE_CURRENT_LIST_DIR}/provider_errors_text.cpp.in
  ${CMAKE_CURRENT_BINARY_DIR}/settings/provider_errors_text.cpp @ONLY)
target_sources(weir_settings PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/settings/provider_errors_text.cpp)
