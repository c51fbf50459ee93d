#pragma once

#include <QPainter>
#include <QStringList>

namespace polyptych::ui {

/// Draws keys as small caps, the last one at the right end of `rect`. @return the width that they took
int paintKeyCaps(QPainter& painter, const QRect& rect, const QStringList& keys);

}  // namespace polyptych::ui
