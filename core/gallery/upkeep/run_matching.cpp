#include "core/gallery/upkeep/run_matching.h"

#include <QDateTime>
#include <QRandomGenerator>
#include <algorithm>

#include "core/picture/metadata_text.h"

namespace polyptych::gallery {
namespace {

constexpr int kMaxThreads = 1024;
/// Ids stay exact in JSON.
constexpr quint64 kMaxId = (quint64(1) << 48) - 1;

std::string contentKey(const domain::GenerationRequest& request) {
  domain::PictureMetadata metadata;
  metadata.request = request;
  metadata.request.index = 0;
  metadata.request.promptIndex = 0;
  return picture::metadataJson(metadata);
}

}  // namespace

bool haveEqualContent(const domain::GenerationRequest& a, const domain::GenerationRequest& b) {
  return a.seed == b.seed && a.prompt == b.prompt && a.negativePrompt == b.negativePrompt && a.width == b.width &&
         a.height == b.height && a.steps == b.steps && a.guidanceScale == b.guidanceScale &&
         a.guidanceRescale == b.guidanceRescale && a.scheduler == b.scheduler && a.clipSkip == b.clipSkip;
}

std::optional<std::size_t> indexInName(const QString& fileName) {
  bool isNumber = false;
  const qsizetype dash = fileName.indexOf(u'-');
  const quint64 index = dash > 0 && fileName[0].isDigit() ? fileName.left(dash).toULongLong(&isNumber) : 0;
  return isNumber ? std::optional<std::size_t>(index) : std::nullopt;
}

RunMatching::RunMatching(const library::RunRecord& record) : m_record(record), m_isTaken(record.requests.size(), false) {}

bool RunMatching::isOfRun(const domain::PictureMetadata& metadata) const {
  const domain::RunPlan& plan = m_record.plan;
  // The out-of-memory ladder may change batch size and decoding, an update the program.
  return plan.model.folder.empty() ||
         (metadata.modelName == plan.model.name && metadata.modelHash == plan.model.hash &&
          metadata.computeType == plan.computeType && metadata.noise == plan.noise && metadata.threads == plan.threads);
}

bool RunMatching::takeAt(const domain::PictureMetadata& metadata, std::size_t index) {
  if (index >= m_isTaken.size() || m_isTaken[index] || !isOfRun(metadata) ||
      !haveEqualContent(metadata.request, m_record.requests[index])) {
    return false;
  }
  m_isTaken[index] = true;
  return true;
}

void RunMatching::markTaken(std::size_t index) {
  if (index < m_isTaken.size()) {
    m_isTaken[index] = true;
  }
}

std::optional<std::size_t> RunMatching::take(const domain::PictureMetadata& metadata, const QString& fileName) {
  const auto said = static_cast<std::size_t>(metadata.request.index);
  if (takeAt(metadata, said)) {
    return said;
  }
  if (const auto named = indexInName(fileName); named && takeAt(metadata, *named)) {
    return named;
  }
  if (m_byContent.empty()) {
    for (std::size_t i = 0; i < m_record.requests.size(); ++i) {
      m_byContent[contentKey(m_record.requests[i])].push_back(i);
    }
  }
  const auto found = m_byContent.find(contentKey(metadata.request));
  if (found != m_byContent.end()) {
    for (const std::size_t index : found->second) {
      if (takeAt(metadata, index)) {
        return index;
      }
    }
  }
  return std::nullopt;
}

library::RunRecord gatheredRun(const std::vector<domain::PictureMetadata>& pictures) {
  library::RunRecord record;
  record.id = QRandomGenerator::system()->generate64() % kMaxId + 1;
  record.createdMs = QDateTime::currentMSecsSinceEpoch();
  record.fingerprint = QStringLiteral("gathered-%1").arg(record.id, 0, 16);
  if (!pictures.empty()) {
    const domain::PictureMetadata& first = pictures.front();
    record.plan.model.name = first.modelName;
    record.plan.model.hash = first.modelHash;
    record.plan.computeType = first.computeType == domain::ComputeType::Auto ? domain::ComputeType::Fp32 : first.computeType;
    record.plan.noise = first.noise;
    record.plan.threads = std::clamp(first.threads, 1, kMaxThreads);
  }
  for (const domain::PictureMetadata& picture : pictures) {
    domain::GenerationRequest request = picture.request;
    request.index = static_cast<std::int64_t>(record.requests.size());
    record.requests.push_back(std::move(request));
  }
  return record;
}

}  // namespace polyptych::gallery
