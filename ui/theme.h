#pragma once

#include <QColor>

class QApplication;

namespace polyptych::ui {

/// The window's colours; no colour stands anywhere else in this folder.
struct Tokens {
  QColor background, surface, raised, line, text, secondary, faint, accent, onAccent, good, warning, bad;
  QColor onPicture{0xffffff}, onPictureEdge{QColor(0, 0, 0, 150)};  ///< marks on a picture, and what sets them off
};
/// Sizes in pixels.
struct Metrics {
  static constexpr int kTopBar = 48, kBottomBar = 34, kLeft = 336, kRight = 308, kTight = 4, kGap = 8, kPad = 12, kWide = 16,
                       kTile = 168, kTileGap = 8;
  static constexpr int kPictureRadius = 4, kControlRadius = 6, kCardRadius = 8, kPreview = 56, kBar = 4, kRing = 2;
  static constexpr int kTileLeast = 80, kTileMost = 480, kTileStep = 24, kHeading = 30, kHeadingText = 12, kStar = 13;
  static constexpr int kInfoPanel = 300, kSlider = 96;
  static constexpr int kLeftLeast = 280, kRightLeast = 240, kWindowWidth = 1280, kWindowHeight = 800;
  static constexpr int kLabelText = 11, kSmallText = 12, kIcon = 16;
  static constexpr int kListRow = 32, kDenseRow = 28, kListRows = 10, kCapHeight = 18, kCapPad = 6, kField = 28, kMemoryBar = 6,
                       kBriefMeter = 92, kSlotState = 56, kLogTime = 96, kTimeTick = 84, kQueueHeight = 260, kFieldEdge = 4,
                       kRowPad = 7, kTickBox = 14, kPromptText = 132, kImportWidth = 760, kImportRows = 6, kImportColumn = 140;
  static constexpr int kSheetWidth = 560, kOverlayTop = 96, kPageWidth = 760, kSearchWidth = 240, kSearchLeast = 132, kHead = 24,
                       kRecorderWidth = 200;
  static constexpr int kModelRow = 44, kSettingWidth = 260, kModelsWide = 900, kNameInset = 7;
  static constexpr int kRoomForThree = 1200, kRoomForTwo = 900;  ///< below these widths side panels lie over the centre
  static constexpr int kRoomForKeys = 1100;                      ///< below it Generate does without its keys
  static constexpr int kWindowLeastWidth = 720, kWindowLeastHeight = 520, kCentreLeast = 376, kPanelMost = 640, kStrip = 28,
                       kGrab = 7;
  static constexpr int kQueueToolsRoom = 720;                         ///< below it the queue's least needed tools go
  static constexpr int kQueueColumns[] = {64, 200, 76, 96, 76, 112};  ///< run, prompt, pictures, state, device, why
  static constexpr int kFadeMs = 120;
  static constexpr double kVeil = 0.6;  ///< how much of the window behind a sheet is gone
  static constexpr int kTextInset = 2;  ///< of text from the inner edge of its field, as a line edit has it
};

enum class ThemeKind { System, Light, Dark };

Tokens tokensOf(bool dark);
/// WCAG 2 contrast, 1 to 21.
double contrast(const QColor& a, const QColor& b);

/// True if the platform's own window colour is dark; ours, if it is set, does not count.
bool isPlatformDark();
/// Sets palette and style sheet of the program. System: isPlatformDark().
void applyTheme(QApplication& application, ThemeKind kind);
/// What applyTheme() chose last, for widgets that paint themselves.
const Tokens& currentTokens();

}  // namespace polyptych::ui
