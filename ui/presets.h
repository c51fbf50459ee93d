#pragma once

#include <QHash>
#include <QLineEdit>
#include <QPushButton>
#include <QStringList>
#include <QVariantMap>

#include "ui/shell/overlay.h"

namespace polyptych::ui {

/// Settings under names, in the program's settings; or in memory alone.
class Presets {
 public:
  explicit Presets(bool isStored);

  QStringList names() const;
  QVariantMap values(const QString& name) const { return m_values.value(name); }
  void set(const QString& name, const QVariantMap& values);
  void remove(const QString& name);

 private:
  void store() const;

  const bool m_isStored;
  QHash<QString, QVariantMap> m_values;
};

/// Asks for a preset's name.
class PresetSheet : public Overlay {
  Q_OBJECT
 public:
  PresetSheet(QWidget* window, const Preferences& preferences);
  void ask(const QStringList& taken);

 Q_SIGNALS:
  void named(const QString& name);

 protected:
  QSize cardSize() const override;
  QWidget* first() const override { return m_name; }
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void accept();
  void updateButton();

  QStringList m_taken;
  QLineEdit* m_name;
  QPushButton* m_save;
};

}  // namespace polyptych::ui
