// Nothing: what is compiled here are the headers that come before it (PrecompiledHeaders.cmake).
