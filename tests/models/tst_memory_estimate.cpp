#include <QTest>

#include "core/models/memory_estimate.h"

using namespace polyptych::models;

class TestMemoryEstimate : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void takesTheShapeFromADescription() {
    ModelDescription model;
    model.width = 768;
    model.height = 640;
    ComponentDescription text;
    text.name = "text_encoder";
    text.parameters = 100;
    ComponentDescription unet;
    unet.name = "unet";
    unet.parameters = 20;
    unet.settings = {{"block_out_channels", "64, 128"}};
    ComponentDescription vae;
    vae.name = "vae";
    vae.parameters = 3;
    vae.settings = {{"block_out_channels", "nonsense"}};
    model.components = {text, unet, vae};
    const ModelShape shape = shapeOf(model);
    QCOMPARE(shape.parameters, std::uint64_t(123));
    QCOMPARE(shape.unetChannels, 64);
    QCOMPARE(shape.vaeChannels, 128);
    QCOMPARE(shape.width, 768);
    QCOMPARE(shape.height, 640);
    QCOMPARE(shapeOf({}).width, 512);
  }

  /// Weights + the larger of step and decoding + runtime, by hand.
  void addsUp() {
    ModelShape shape{.parameters = 1'000'000, .unetChannels = 10, .vaeChannels = 2, .width = 80, .height = 160};
    // step 2 x 200 x 10 x 20 = 80 000, decoding 12 800 x 2 x 8 = 204 800 numbers
    QCOMPARE(estimatePeakBytes(shape, Arithmetic::Half, true), std::uint64_t(2 * (1'000'000 + 204'800) + 700'000'000));
    QCOMPARE(estimatePeakBytes(shape, Arithmetic::Single, false), std::uint64_t(4 * (1'000'000 + 204'800) + 200'000'000));
    shape.unetChannels = 100;
    QCOMPARE(estimatePeakBytes(shape, Arithmetic::Half, true), std::uint64_t(2 * (1'000'000 + 800'000) + 700'000'000));
    shape.batch = 3;
    QCOMPARE(estimatePeakBytes(shape, Arithmetic::Half, true), std::uint64_t(2 * (1'000'000 + 2'400'000) + 700'000'000));
  }

  void growsWithEverything() {
    const ModelShape small{.parameters = 1'066'000'000};
    const auto peak = [](const ModelShape& shape) { return estimatePeakBytes(shape, Arithmetic::Half, true); };
    ModelShape other = small;
    other.width = 1024;
    QVERIFY(peak(other) > peak(small));
    other = small;
    other.parameters *= 2;
    QVERIFY(peak(other) > peak(small));
    QVERIFY(estimatePeakBytes(small, Arithmetic::Single, true) > peak(small));
    // A picture as large as the program accepts has no overflow.
    other = {.parameters = 10'000'000'000, .width = 8192, .height = 8192, .batch = 64};
    QVERIFY(peak(other) > 64ull * 8192 * 8192 * 128 * 8 * 2);
  }

  void saysItInThreeWords() {
    QCOMPARE(fitOf(80, 100), Fit::Fits);
    QCOMPARE(fitOf(81, 100), Fit::Tight);
    QCOMPARE(fitOf(97, 100), Fit::Tight);
    QCOMPARE(fitOf(98, 100), Fit::DoesNotFit);
    QCOMPARE(fitOf(1, 0), Fit::DoesNotFit);
  }
};

QTEST_GUILESS_MAIN(TestMemoryEstimate)
#include "tst_memory_estimate.moc"
