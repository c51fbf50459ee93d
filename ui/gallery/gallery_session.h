#pragma once

class QSettings;

namespace polyptych::ui {

struct GalleryQuery;

/// What the gallery showed when the window was closed; what the settings do not tell, or tell wrongly, stays as it is by default.
GalleryQuery readQuery(const QSettings& settings);
/// Into the same group of the settings.
void writeQuery(QSettings& settings, const GalleryQuery& query);

}  // namespace polyptych::ui
