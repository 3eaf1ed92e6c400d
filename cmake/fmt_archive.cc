// fmt, for programs that are linked without shared objects: Debian has no archive of it, but its
// headers contain the source of what is not inline.
#include <fmt/format-inl.h>

namespace fmt::inline v9::detail {

template FMT_API thousands_sep_result<char> thousands_sep_impl<char>(locale_ref);
template FMT_API char decimal_point_impl(locale_ref);
template FMT_API std::locale locale_ref::get<std::locale>() const;
template FMT_API dragonbox::decimal_fp<float> dragonbox::to_decimal(float) noexcept;
template FMT_API dragonbox::decimal_fp<double> dragonbox::to_decimal(double) noexcept;

}  // namespace fmt::inline v9::detail
