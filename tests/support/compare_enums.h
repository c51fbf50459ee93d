#pragma once

// Qt passes the build folder on the command line for QFINDTESTDATA alone; without it ccache can share test objects between
// presets.
#undef QT_TESTCASE_BUILDDIR

#include <QtTest/qtestcase.h>

#include <type_traits>

namespace QTest {

/// QCOMPARE of two equal enumerators' types, as numbers: Qt's own version finds our toString(), whose result it cannot print.
/// polyptych_test() includes this header in front of every test.
template <typename Enum>
requires std::is_enum_v<Enum>
bool qCompare(const Enum& actual, const Enum& expected, const char* actualText, const char* expectedText, const char* file,
              int line) {
  using Number = long long;
  return qCompare(static_cast<Number>(actual), static_cast<Number>(expected), actualText, expectedText, file, line);
}

}  // namespace QTest
