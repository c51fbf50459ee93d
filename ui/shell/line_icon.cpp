#include "ui/shell/line_icon.h"

#include <QFile>
#include <QIconEngine>
#include <QPainter>
#include <QPixmap>
#include <QSvgRenderer>

#include "ui/theme.h"

namespace polyptych::ui {
namespace {

/// The one colour that the files are drawn in.
constexpr char kInk[] = "#808080";

class LineIconEngine : public QIconEngine {
 public:
  explicit LineIconEngine(QByteArray svg) : m_svg(std::move(svg)) {}

  void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override {
    const Tokens& t = currentTokens();
    const QColor ink = mode == QIcon::Disabled ? t.faint : mode == QIcon::Normal ? t.secondary : t.text;
    QByteArray svg = m_svg;
    svg.replace(kInk, ink.name().toLatin1());
    QSvgRenderer(svg).render(painter, QRectF(rect));
  }
  QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override {
    QPixmap pixmap(size);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    paint(&painter, QRect(QPoint(), size), mode, state);
    return pixmap;
  }
  QIconEngine* clone() const override { return new LineIconEngine(m_svg); }

 private:
  QByteArray m_svg;
};

}  // namespace

QIcon lineIcon(const QString& name) {
  QFile file(QStringLiteral(":/icons/%1.svg").arg(name));
  return QIcon(new LineIconEngine(file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray()));
}

}  // namespace polyptych::ui
