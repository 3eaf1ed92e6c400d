# `cmake --install`: the programs in lib/sockproof, since they find each other there; a link to the one
# that users start; the manual page and completions, which it prints itself; the pages of docs/.

# Of what is installed everything is built by `./sockproof build`, the project's own tests are not.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)

function(sockproof_install)
  set(folder ${CMAKE_BINARY_DIR}/install)
  file(MAKE_DIRECTORY ${folder})
  file(CREATE_LINK ../lib/sockproof/sockproof ${folder}/sockproof SYMBOLIC)

  set(made ${folder}/sockproof.1.gz ${folder}/sockproof.bash ${folder}/_sockproof
    ${folder}/sockproof.fish)
  add_custom_command(
    OUTPUT ${made}
    COMMAND sockproof documentation man | gzip -9n > ${folder}/sockproof.1.gz
    COMMAND sockproof documentation bash > ${folder}/sockproof.bash
    COMMAND sockproof documentation zsh > ${folder}/_sockproof
    COMMAND sockproof documentation fish > ${folder}/sockproof.fish
    DEPENDS sockproof)
  add_custom_target(sockproof_documentation ALL DEPENDS ${made})

  set(programs sockproof sockproof_agent sockproof_agent_c)
  if(TARGET sockproof_agent_lwip)
    list(APPEND programs sockproof_agent_lwip)
  endif()
  install(TARGETS ${programs} RUNTIME DESTINATION lib/sockproof)
  install(TARGETS sockproof_reach_plugin LIBRARY DESTINATION lib/sockproof)
  install(FILES ${folder}/sockproof DESTINATION bin)
  install(FILES ${folder}/sockproof.1.gz DESTINATION share/man/man1)
  install(FILES ${folder}/sockproof.bash DESTINATION share/bash-completion/completions
    RENAME sockproof)
  install(FILES ${folder}/_sockproof DESTINATION share/zsh/vendor-completions)
  install(FILES ${folder}/sockproof.fish DESTINATION share/fish/vendor_completions.d)
  install(FILES README.md DESTINATION share/doc/sockproof)
  install(FILES cmake/debian/copyright DESTINATION share/doc/sockproof)
  install(DIRECTORY docs DESTINATION share/doc/sockproof)
  # For systems of a user's own: the page that says what an agent does, and one in plain C.
  install(FILES src/agent/README.md DESTINATION share/doc/sockproof/docs RENAME agent.md)
  install(FILES src/agent_c/agent.c src/agent_c/errors.h src/agent_c/names.h DESTINATION share/doc/sockproof/examples)
endfunction()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME sockproof)
set(CPACK_PACKAGE_CONTACT "The sockproof maintainers <maintainers@sockproof.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "conformance tests for sockets and TCP, on the wire")
# Each line becomes one of the description, indented by CPack.
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"sockproof makes socket calls on a real system, plays the other end of the
connection segment by segment, and checks that what happens is what RFC 9293,
POSIX or the documentation of the system says. Every verdict comes with its
claim and source, and with a ladder of calls and segments.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS
  "qemu-system-x86, crun | runc, podman, iproute2, ethtool, xz-utils, debian-archive-keyring")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_STRIP_FILES ON)
set(CPACK_OUTPUT_FILE_PREFIX ${CMAKE_BINARY_DIR}/package)
include(CPack)
