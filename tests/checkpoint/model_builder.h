#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/safetensors.h"

namespace polyptych::tests {

/// Makes a folder in diffusers format that openModelFolder() takes: configs of a tiny model, and weight files with a few tensors
/// (not those a real model needs). Tests change parts of it before or after write().
class ModelBuilder {
 public:
  explicit ModelBuilder(std::filesystem::path folder) : m_folder(std::move(folder)) {
    texts["model_index.json"] = R"({"_class_name":"StableDiffusionPipeline","_diffusers_version":"0.42.1",
      "requires_safety_checker":false,"safety_checker":[null,null],"feature_extractor":[null,null],
      "scheduler":["diffusers","PNDMScheduler"],"text_encoder":["transformers","CLIPTextModel"],
      "tokenizer":["transformers","CLIPTokenizer"],"unet":["diffusers","UNet2DConditionModel"],"vae":["diffusers","AutoencoderKL"]})";
    texts["scheduler/scheduler_config.json"] = R"({"_class_name":"PNDMScheduler","_diffusers_version":"0.42.1",
      "beta_end":0.012,"beta_schedule":"scaled_linear","beta_start":0.00085,"skip_prk_steps":true,"steps_offset":1})";
    texts["text_encoder/config.json"] = R"({"architectures":["CLIPTextModel"],"model_type":"clip_text_model","hidden_size":32,
      "intermediate_size":64,"num_hidden_layers":2,"num_attention_heads":4,"vocab_size":1000})";
    texts["tokenizer/vocab.json"] = "{}";
    texts["tokenizer/merges.txt"] = "#version: 0.2\n";
    texts["tokenizer/tokenizer_config.json"] = "{}";
    texts["unet/config.json"] = R"({"_class_name":"UNet2DConditionModel","_diffusers_version":"0.42.1","sample_size":16,
      "block_out_channels":[32,64],"down_block_types":["CrossAttnDownBlock2D","DownBlock2D"],
      "up_block_types":["UpBlock2D","CrossAttnUpBlock2D"],"cross_attention_dim":32,"attention_head_dim":8,"layers_per_block":1})";
    texts["vae/config.json"] = R"({"_class_name":"AutoencoderKL","_diffusers_version":"0.42.1","block_out_channels":[32,64],
      "down_block_types":["DownEncoderBlock2D","DownEncoderBlock2D"],"up_block_types":["UpDecoderBlock2D","UpDecoderBlock2D"],
      "sample_size":64})";
    weights["text_encoder/model.safetensors"] = {"text_model.embeddings.token_embedding.weight"};
    weights["unet/diffusion_pytorch_model.safetensors"] = {"conv_in.weight"};
    weights["vae/diffusion_pytorch_model.safetensors"] = {"decoder.conv_in.weight"};
  }

  std::map<std::string, std::string> texts;                 ///< relative path -> content
  std::map<std::string, std::vector<std::string>> weights;  ///< relative path -> names of its tensors
  checkpoint::Dtype dtype = checkpoint::Dtype::F32;

  const std::filesystem::path& folder() const { return m_folder; }

  void moveWeights(const std::string& from, const std::string& to) {
    auto node = weights.extract(from);
    node.key() = to;
    weights.insert(std::move(node));
  }

  void write() const {
    for (const auto& [name, content] : texts) {
      writeFile(name, content);
    }
    for (const auto& [name, tensors] : weights) {
      writeFile(name, safetensors(tensors));
    }
  }

  void writeFile(const std::string& name, std::string_view content) const {
    const std::filesystem::path path = m_folder / name;
    std::filesystem::create_directories(path.parent_path());
    std::filesystem::remove(path);  // ext4 writes a truncated file out at once, which takes milliseconds
    std::ofstream(path, std::ios::binary | std::ios::trunc).write(content.data(), static_cast<std::streamsize>(content.size()));
  }

  std::string safetensors(const std::vector<std::string>& names) const {
    const std::vector<std::byte> data(static_cast<std::size_t>(checkpoint::bitsOf(dtype)) / 8 * 4);
    std::vector<checkpoint::NamedTensor> tensors;
    for (const std::string& name : names) {
      tensors.push_back({name, {dtype, {2, 2}, data}});
    }
    const auto bytes = checkpoint::writeSafetensors(tensors);
    return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
  }

 private:
  std::filesystem::path m_folder;
};

}  // namespace polyptych::tests
