#pragma once

#include <QByteArray>
#include <QtEndian>
#include <vector>

#include "core/picture/png.h"

namespace polyptych::tests {

/// A small PNG with a chunk in front of its picture, as other programs put theirs.
inline QByteArray pngWithChunk(const QByteArray& type, const QByteArray& data) {
  const auto png = picture::encodePng({8, 8, std::vector<std::uint8_t>(192, 90)});
  QByteArray bytes(reinterpret_cast<const char*>(png->data()), static_cast<qsizetype>(png->size()));
  quint32 check = 0xffffffff;
  for (const char byte : type + data) {
    check ^= static_cast<uchar>(byte);
    for (int bit = 0; bit < 8; ++bit) {
      check = check & 1 ? check >> 1 ^ 0xedb88320 : check >> 1;
    }
  }
  const auto number = [](quint32 value) {
    char four[4];
    qToBigEndian(value, four);
    return QByteArray(four, 4);
  };
  constexpr int kBehindHeader = 8 + 12 + 13;
  bytes.insert(kBehindHeader, number(static_cast<quint32>(data.size())) + type + data + number(~check));
  return bytes;
}

}  // namespace polyptych::tests
