// An SVG read back: its texts with the room that they take, and what every picture must be.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <pugixml.hpp>
#include <string>
#include <vector>

#include "src/picture/canvas.h"

namespace sockproof {

struct DrawnText {
  std::string layer;  // class of its group
  std::string text;
  double left, right, top, bottom;
};

class Drawn {
 public:
  explicit Drawn(const std::string& svg) : size_(svg.size()) {
    is_well_formed_ = static_cast<bool>(
        document_.load_string(svg.c_str(), pugi::parse_default | pugi::parse_ws_pcdata));
    root_ = document_.child("svg");
    for (const pugi::xml_node group : root_.children("g")) {
      for (const pugi::xml_node text : group.children("text")) AddText(group, text);
    }
  }

  bool is_well_formed() const { return is_well_formed_; }
  double width() const { return root_.attribute("width").as_double(); }
  double height() const { return root_.attribute("height").as_double(); }
  std::size_t size() const { return size_; }
  pugi::xml_node root() const { return root_; }
  const std::vector<DrawnText>& texts() const { return texts_; }

  // The texts of a layer, e.g. "sp-time", as drawn.
  std::vector<std::string> Texts(const std::string& layer) const {
    std::vector<std::string> found;
    for (const DrawnText& text : texts_) {
      if (text.layer == layer) found.push_back(text.text);
    }
    return found;
  }
  std::size_t Shapes(const std::string& layer) const {
    const pugi::xml_node group = root_.find_child_by_attribute("g", "class", layer.c_str());
    return static_cast<std::size_t>(std::distance(group.begin(), group.end()));
  }

 private:
  void AddText(pugi::xml_node group, pugi::xml_node node) {
    DrawnText text;
    text.layer = group.attribute("class").value();
    for (const auto part : node.select_nodes(".//text()")) text.text += part.node().value();
    const double size = group.attribute("font-size").as_double();
    const double width = 0.6 * size * static_cast<double>(CharactersOf(text.text));
    const double x = node.attribute("x").as_double(), y = node.attribute("y").as_double();
    const std::string anchor = group.attribute("text-anchor").value();
    text.left = anchor == "end" ? x - width : anchor == "middle" ? x - width / 2 : x;
    text.right = text.left + width;
    text.top = y - 0.75 * size;  // of a capital letter
    text.bottom = y + 0.2 * size;
    texts_.push_back(text);
  }

  pugi::xml_document document_;
  pugi::xml_node root_;
  std::vector<DrawnText> texts_;
  std::size_t size_;
  bool is_well_formed_ = false;
};

// Well-formed, described, without anything that a browser would run or fetch; every text in bounds
// and clear of every other.
inline void ExpectSound(const Drawn& drawn) {
  ASSERT_TRUE(drawn.is_well_formed());
  EXPECT_STREQ(drawn.root().attribute("role").value(), "img");
  EXPECT_FALSE(drawn.root().child("title").text().empty());
  EXPECT_FALSE(drawn.root().child("desc").text().empty());
  for (const auto found : drawn.root().select_nodes(
           "//script|//image|//foreignObject|//a|//use|//@href|//@id|//@onload|//@style")) {
    ADD_FAILURE() << found.node().name() << found.attribute().name();
  }
  for (const DrawnText& text : drawn.texts()) {
    EXPECT_GE(text.left, 0) << text.text;
    EXPECT_LE(text.right, drawn.width()) << text.text;
    EXPECT_GE(text.top, 0) << text.text;
    EXPECT_LE(text.bottom, drawn.height()) << text.text;
  }
  for (std::size_t one = 0; one < drawn.texts().size(); ++one) {
    for (std::size_t other = one + 1; other < drawn.texts().size(); ++other) {
      const DrawnText &a = drawn.texts()[one], &b = drawn.texts()[other];
      const bool apart =
          a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
      EXPECT_TRUE(apart) << a.layer << " \"" << a.text << "\" and " << b.layer << " \"" << b.text
                         << '"';
    }
  }
}

}  // namespace sockproof
