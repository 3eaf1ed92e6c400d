// Writes SVG. The colors are variables, each declared after a plain color for viewers without them.
#include "src/picture/canvas.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace sockproof {
namespace {

// How wide a character is in monospaced fonts, in units of the font size: 0.6 in most, 0.62 in the
// widest that is usual.
constexpr double kCharacterWidth = 0.62;

enum class Anchor { kNone, kStart, kMiddle, kEnd };

struct LayerStyle {
  std::string_view name;   // of its class, after "sp-"
  std::string_view rules;  // $name stands for a color
  int font_size = 0;       // of texts
  Anchor anchor = Anchor::kNone;
};

constexpr std::array<LayerStyle, static_cast<std::size_t>(Layer::kCount)> kLayers{{
    {"mark", "fill:$mark"},
    {"grid", "fill:none;stroke:$faint"},
    {"life", "fill:none;stroke:$line;stroke-width:1.5"},
    {"call", "fill:$callbg;stroke:$blue"},
    {"opening", "fill:$blue"},
    {"established", "fill:$green"},
    {"closing", "fill:$amber"},
    {"passive", "fill:$violet"},
    {"timewait", "fill:$brown"},
    {"closed", "fill:$line"},
    {"failbox", "fill:$failbg"},
    {"band", "fill:$band"},
    {"documented", "fill:none;stroke:$green;stroke-width:2"},
    {"arrow", "fill:none;stroke:$ink;stroke-width:1.25"},
    {"head", "fill:$ink"},
    {"again", "fill:none;stroke:$amber;stroke-width:1.25"},
    {"againhead", "fill:$amber"},
    {"lost", "fill:none;stroke:$red;stroke-width:1.5"},
    {"missing", "fill:none;stroke:$red;stroke-width:1.25;stroke-dasharray:6 4"},
    {"held", "fill:none;stroke:$amber;stroke-width:1.5;stroke-dasharray:2 3"},
    {"quiet", "fill:none;stroke:$line;stroke-dasharray:1 3"},
    {"break", "fill:none;stroke:$dim;stroke-width:1.5"},
    {"dot", "fill:$ink"},
    {"wrongdot", "fill:$red"},
    {"title", "fill:$ink;font-weight:700", 13, Anchor::kStart},
    {"heading", "fill:$ink", 11, Anchor::kMiddle},
    {"time", "fill:$dim", 9, Anchor::kEnd},
    {"callleft", "fill:$ink", 11, Anchor::kEnd},
    {"callright", "fill:$ink", 11, Anchor::kStart},
    {"fromleft", "fill:$ink", 11, Anchor::kStart},
    {"fromright", "fill:$ink", 11, Anchor::kEnd},
    {"remark", "fill:$dim;font-style:italic", 10, Anchor::kStart},
    {"middle", "fill:$dim", 10, Anchor::kMiddle},
    {"state", "fill:$bg;font-weight:700", 9, Anchor::kMiddle},
    {"inferred", "fill:$dim;font-style:italic", 9, Anchor::kStart},
    {"failure", "fill:$red", 11, Anchor::kStart},
    {"missingtext", "fill:$red", 11, Anchor::kMiddle},
    {"passed", "fill:$green;font-weight:700", 12, Anchor::kStart},
    {"failed", "fill:$red;font-weight:700", 12, Anchor::kStart},
    {"undecided", "fill:$amber;font-weight:700", 12, Anchor::kStart},
}};

struct Color {
  std::string_view name;
  std::string_view light;
  std::string_view dark;
};

constexpr Color kColors[] = {
    {"bg", "#fff", "#0d1117"},        {"ink", "#1f2328", "#e6edf3"},
    {"dim", "#59636e", "#9198a1"},    {"line", "#818b98", "#656c76"},
    {"blue", "#0969da", "#4493f8"},   {"green", "#1a7f37", "#3fb950"},
    {"amber", "#9a6700", "#d29922"},  {"violet", "#8250df", "#ab7df8"},
    {"brown", "#953800", "#db6d28"},  {"red", "#cf222e", "#f85149"},
    {"callbg", "#ddf4ff", "#121d2f"}, {"failbg", "#ffebe9", "#301317"},
    {"mark", "#fff8c5", "#2b2410"},   {"band", "#aceebb", "#1a4a2a"},
    {"faint", "#d1d9e0", "#2a313c"},
};

constexpr std::string_view kFonts =
    "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace";

const LayerStyle& StyleOf(Layer layer) { return kLayers[static_cast<std::size_t>(layer)]; }

// "fill:$ink" as "fill:#1f2328;fill:var(--sp-ink)".
std::string Rules(std::string_view rules) {
  std::string css;
  while (!rules.empty()) {
    const std::size_t end = std::min(rules.find(';'), rules.size());
    const std::string_view rule = rules.substr(0, end);
    rules.remove_prefix(std::min(end + 1, rules.size()));
    if (!css.empty()) css += ';';
    const std::size_t dollar = rule.find('$');
    if (dollar == std::string_view::npos) {
      css += rule;
      continue;
    }
    const std::string_view property = rule.substr(0, dollar), name = rule.substr(dollar + 1);
    const auto color = std::find_if(std::begin(kColors), std::end(kColors),
                                    [&](const Color& candidate) { return candidate.name == name; });
    css += fmt::format("{0}{1};{0}var(--sp-{2})", property, color->light, name);
  }
  return css;
}

std::string EscapedForSvg(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

// Length in bytes of the character of clean text at its beginning, and how many places it takes.
struct Character {
  std::size_t bytes = 1;
  std::size_t places = 1;
};
Character FirstOf(std::string_view clean) {
  const auto first = static_cast<std::uint8_t>(clean[0]);
  const std::size_t bytes = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const bool is_usual = first < 0xcc || clean.starts_with("…") || clean.starts_with("→");
  return {std::min(bytes, clean.size()), is_usual ? std::size_t{1} : std::size_t{2}};
}

bool MayBreakAfter(char c) {
  return c == ' ' || c == ',' || c == '>' || c == '(' || c == '_' || c == '/';
}

}  // namespace

std::size_t CharactersOf(std::string_view clean) {
  std::size_t characters = 0;
  while (!clean.empty()) {
    const Character first = FirstOf(clean);
    characters += first.places;
    clean.remove_prefix(first.bytes);
  }
  return characters;
}

std::string ShortenedTo(std::string_view clean, std::size_t most) {
  if (CharactersOf(clean) <= most) return std::string(clean);
  std::size_t characters = 0, bytes = 0;
  while (true) {
    const Character next = FirstOf(clean.substr(bytes));
    if (characters + next.places + 1 > most) break;
    characters += next.places;
    bytes += next.bytes;
  }
  return std::string(clean.substr(0, bytes)) + "…";
}

std::vector<std::string> Wrapped(std::string_view clean, std::size_t width, std::size_t most) {
  std::vector<std::string> lines;
  while (!clean.empty()) {
    if (lines.size() + 1 == most || CharactersOf(clean) <= width) {
      lines.push_back(ShortenedTo(clean, width));
      break;
    }
    std::size_t characters = 0, bytes = 0, good = 0;
    while (true) {
      const Character next = FirstOf(clean.substr(bytes));
      if (characters + next.places > width) break;
      characters += next.places;
      bytes += next.bytes;
      if (MayBreakAfter(clean[bytes - 1]) && 3 * characters > width) good = bytes;
    }
    // A space at which a line ends takes no room.
    if (clean[bytes] == ' ') good = bytes + 1;
    std::string_view line = clean.substr(0, good > 0 ? good : std::max<std::size_t>(bytes, 1));
    clean.remove_prefix(line.size());
    while (line.ends_with(' ')) line.remove_suffix(1);
    lines.emplace_back(line);
  }
  return lines;
}

double CharacterWidth(Layer layer) { return StyleOf(layer).font_size * kCharacterWidth; }

double LineHeight(Layer layer) { return StyleOf(layer).font_size + 2.0; }

double WidthOf(Layer layer, std::string_view clean) {
  return CharacterWidth(layer) * static_cast<double>(CharactersOf(clean));
}

std::string Coordinate(double value) {
  const auto halves = static_cast<long>(std::lround(2 * value));
  return halves % 2 == 0 ? std::to_string(halves / 2)
                         : fmt::format("{:.1f}", 0.5 * static_cast<double>(halves));
}

void Canvas::Path(Layer layer, const std::string& data) {
  layers_[static_cast<std::size_t>(layer)] += "<path d=\"" + data + "\"/>";
}

void Canvas::Line(Layer layer, double x1, double y1, double x2, double y2) {
  Path(layer,
       "M" + Coordinate(x1) + " " + Coordinate(y1) + "L" + Coordinate(x2) + " " + Coordinate(y2));
}

void Canvas::Rectangle(Layer layer, double x, double y, double width, double height, double round) {
  layers_[static_cast<std::size_t>(layer)] +=
      fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"{}/>", Coordinate(x),
                  Coordinate(y), Coordinate(width), Coordinate(height),
                  round > 0 ? " rx=\"" + Coordinate(round) + "\"" : std::string());
}

void Canvas::Circle(Layer layer, double x, double y, double radius) {
  layers_[static_cast<std::size_t>(layer)] += fmt::format(
      "<circle cx=\"{}\" cy=\"{}\" r=\"{}\"/>", Coordinate(x), Coordinate(y), Coordinate(radius));
}

void Canvas::Text(Layer layer, double x, double baseline, const std::string& clean) {
  Text(layer, x, baseline, std::vector<Run>{{clean}});
}

void Canvas::Text(Layer layer, double x, double baseline, const std::vector<Run>& runs) {
  std::string text;
  for (const Run& run : runs) {
    const std::string_view tone = run.tone == Run::Tone::kStrong    ? "sp-strong"
                                  : run.tone == Run::Tone::kDim     ? "sp-dim"
                                  : run.tone == Run::Tone::kWarning ? "sp-warn"
                                                                    : "";
    const std::string escaped = EscapedForSvg(run.text);
    text += tone.empty() ? escaped : fmt::format("<tspan class=\"{}\">{}</tspan>", tone, escaped);
  }
  if (text.empty()) return;
  layers_[static_cast<std::size_t>(layer)] +=
      fmt::format("<text x=\"{}\" y=\"{}\">{}</text>", Coordinate(x), Coordinate(baseline), text);
}

std::string Canvas::Svg(double width, double height, const std::string& title,
                        const std::string& description, bool style) const {
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"sp-picture\" role=\"img\" width=\"{0}\" "
      "height=\"{1}\" viewBox=\"0 0 {0} {1}\" font-family=\"{2}\" fill=\"currentColor\" "
      "xml:space=\"preserve\"><title>{3}</title><desc>{4}</desc>",
      Coordinate(std::ceil(width)), Coordinate(std::ceil(height)), kFonts, EscapedForSvg(title),
      EscapedForSvg(description));
  if (style) {
    svg += "<style>" + PictureStyle() + "</style>";
  }
  svg += "<rect class=\"sp-bg\" width=\"100%\" height=\"100%\"/>";
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    if (layers_[index].empty()) continue;
    const LayerStyle& layer = kLayers[index];
    svg += fmt::format("\n<g class=\"sp-{}\"", layer.name);
    if (layer.anchor != Anchor::kNone) svg += fmt::format(" font-size=\"{}\"", layer.font_size);
    if (layer.anchor == Anchor::kMiddle) svg += " text-anchor=\"middle\"";
    if (layer.anchor == Anchor::kEnd) svg += " text-anchor=\"end\"";
    svg += ">" + layers_[index] + "</g>";
  }
  return svg + "\n</svg>\n";
}

std::string PictureStyle() {
  std::string light, dark;
  for (const Color& color : kColors) {
    light += fmt::format("--sp-{}:{};", color.name, color.light);
    dark += fmt::format("--sp-{}:{};", color.name, color.dark);
  }
  std::string css = ":root{" + light + "}@media(prefers-color-scheme:dark){:root{" + dark + "}}";
  css += ".sp-picture{color:" + std::string(kColors[1].light) + ";color:var(--sp-ink)}.sp-bg{" +
         Rules("fill:$bg") + "}";
  for (const LayerStyle& layer : kLayers) {
    css += fmt::format(".sp-{}{{{}}}", layer.name, Rules(layer.rules));
  }
  css += ".sp-strong{font-weight:700}.sp-dim{" + Rules("fill:$dim") + "}.sp-warn{" +
         Rules("fill:$amber;font-style:italic") + "}";
  return css;
}

}  // namespace sockproof
