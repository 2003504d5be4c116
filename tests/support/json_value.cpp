// SPDX-License-Identifier: MIT
// json_value POINTER: the value at a JSON pointer in the one document on stdin; 1 where stdin holds
// anything else, or nothing is there. For tests of the program from outside.
#include <iostream>
#include <nlohmann/json.hpp>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    const auto document = nlohmann::json::parse(std::cin);
    const auto& value = document.at(nlohmann::json::json_pointer(argv[1]));
    std::cout << (value.is_string() ? value.get<std::string>() : value.dump()) << "\n";
    return 0;
  } catch (const nlohmann::json::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
