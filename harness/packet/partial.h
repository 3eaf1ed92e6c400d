// Partial values: what a test says of a packet, a layer or a segment, and nothing about the rest.
// One mechanism for both directions: a field that is not set has its natural value when sent and is
// not looked at when expected.
//
//   Partial<Udp> answer;
//   answer.Set(&Udp::source_port, 53);
//   Partial<Packet> packet = InLayer(answer).Set(&Packet::payload, text);
//   packet.Matches(seen);  packet.Over(natural);
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "harness/packet/packet.h"

namespace sockproof::packet {

// `text`, where it is asked for: how the rule is called when somebody asks what was expected
// ("win=5"); without, the rule goes unmentioned.
template <typename Value>
class Partial {
 public:
  using Test = std::function<bool(const Value&)>;
  using Change = std::function<void(Value&)>;

  // Expected: the field is equal.
  template <typename Field>
  Partial& Set(Field Value::*field, std::type_identity_t<Field> wanted, std::string text = "") {
    return Add([field, wanted](const Value& seen) { return seen.*field == wanted; },
               [field, wanted](Value& natural) { natural.*field = wanted; }, std::move(text));
  }

  // Of the bits in `mask` exactly those of `wanted`; the others are as they are.
  template <typename Field>
  Partial& SetBits(Field Value::*field, std::type_identity_t<Field> wanted,
                   std::type_identity_t<Field> mask, std::string text = "") {
    return Add([=](const Value& seen) { return (seen.*field & mask) == (wanted & mask); },
               [=](Value& natural) {
                 natural.*field = static_cast<Field>((natural.*field & ~mask) | (wanted & mask));
               },
               std::move(text));
  }

  // Expected: an equal element is in the list. Sent: it is appended.
  template <typename Element>
  Partial& Has(std::vector<Element> Value::*list, std::type_identity_t<Element> wanted,
               std::string text = "") {
    return Add(
        [=](const Value& seen) {
          return std::find((seen.*list).begin(), (seen.*list).end(), wanted) != (seen.*list).end();
        },
        [=](Value& natural) { (natural.*list).push_back(wanted); }, std::move(text));
  }

  // Only when expected.
  Partial& Where(Test test, std::string text = "") {
    return Add(
        std::move(test), [](Value&) {}, std::move(text));
  }
  // Only when sent.
  Partial& Changed(Change change, std::string text = "") {
    return Add([](const Value&) { return true; }, std::move(change), std::move(text));
  }

  Partial& Add(Test test, Change change, std::string text) {
    rules_.push_back({std::move(test), std::move(change), std::move(text)});
    return *this;
  }

  bool Matches(const Value& seen) const {
    return std::all_of(rules_.begin(), rules_.end(),
                       [&](const Rule& rule) { return rule.test(seen); });
  }

  Value Over(Value natural) const {
    for (const Rule& rule : rules_) rule.change(natural);
    return natural;
  }

  // The texts of the rules: "win=5 urg=1".
  std::string Describe() const {
    std::string text;
    for (const Rule& rule : rules_) {
      if (!rule.text.empty()) text.append(text.empty() ? "" : " ").append(rule.text);
    }
    return text;
  }

 private:
  struct Rule {
    Test test;
    Change change;
    std::string text;
  };
  std::vector<Rule> rules_;
};

// Of a packet: what is said of its outermost layer of this type. Expected, a packet without such a
// layer does not match; sent, it gets one.
template <typename Wanted>
Partial<Packet> InLayer(const Partial<Wanted>& layer) {
  return Partial<Packet>().Add(
      [layer](const Packet& seen) {
        const auto* found = seen.Find<Wanted>();
        return found != nullptr && layer.Matches(*found);
      },
      [layer](Packet& natural) {
        if (natural.Find<Wanted>() == nullptr) natural.layers.push_back(Wanted());
        auto* found = natural.Find<Wanted>();
        *found = layer.Over(std::move(*found));
      },
      layer.Describe());
}

// All that is said in both.
template <typename Value>
Partial<Value> Both(const Partial<Value>& one, const Partial<Value>& other) {
  return Partial<Value>()
      .Add([one](const Value& seen) { return one.Matches(seen); },
           [one](Value& natural) { natural = one.Over(std::move(natural)); }, one.Describe())
      .Add([other](const Value& seen) { return other.Matches(seen); },
           [other](Value& natural) { natural = other.Over(std::move(natural)); }, other.Describe());
}

}  // namespace sockproof::packet
