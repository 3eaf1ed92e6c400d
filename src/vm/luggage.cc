#include "src/vm/luggage.h"

namespace sockproof {
namespace {

std::vector<UseLuggage>& UsersOfLuggage() {
  static std::vector<UseLuggage> users;
  return users;
}

}  // namespace

Luggage& LuggageOfRun() {
  static Luggage luggage;
  return luggage;
}

LuggageRegistration::LuggageRegistration(UseLuggage use) { UsersOfLuggage().push_back(use); }

void UnpackLuggage() {
  for (const UseLuggage use : UsersOfLuggage()) use();
}

}  // namespace sockproof
