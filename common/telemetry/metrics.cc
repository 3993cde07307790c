#include "common/telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include "common/base/redact.h"

namespace yikatong::telemetry {
namespace {

constexpr std::size_t kMaxLabelBytes = 80;
constexpr char kOther[] = "other";

[[noreturn]] void ProgramMistake(const std::string& name, const char* what) {
  std::fprintf(stderr, "metric %s: %s\n", name.c_str(), what);
  std::abort();
}

std::string BoundedLabel(std::string_view value) {
  if (value.size() > kMaxLabelBytes || base::LooksSensitive(value)) return kOther;
  return std::string(value);
}

}  // namespace

void Counter::Increment(double by) { series_->Increment(by); }
double Counter::Value() const { return series_->Value(); }
void Gauge::Set(double value) { series_->Set(value); }
void Gauge::Add(double by) { series_->Increment(by); }
double Gauge::Value() const { return series_->Value(); }
void Histogram::Observe(double value) { series_->Observe(value); }

std::vector<double> LatencySeconds() {
  return {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
          0.5,    1,     2.5,    5,     10,   30,    60,   600};
}

template <typename Series>
class Family<Series>::Impl {
 public:
  // Adds a series of the registry, and takes one away where that is asked for.
  struct Make {
    std::function<Series(const std::map<std::string, std::string>& labels)> add;
    std::function<void(const Series&)> remove = {};
  };

  Impl(std::string name, std::vector<std::string> labels, std::size_t max_series, Make make)
      : name_(std::move(name)),
        labels_(std::move(labels)),
        max_series_(max_series),
        make_(std::move(make)) {}

  Series With(std::initializer_list<std::string_view> values) {
    std::vector<std::string> key = KeyOf(values);
    const std::lock_guard lock(mutex_);
    if (const auto found = series_.find(key); found != series_.end()) return found->second;
    // One place stays free for the series of all others.
    if (series_.size() + 1 >= max_series_) {
      key.assign(labels_.size(), kOther);
      if (const auto found = series_.find(key); found != series_.end()) return found->second;
    }
    std::map<std::string, std::string> named;
    for (std::size_t i = 0; i < labels_.size(); ++i) named.emplace(labels_[i], key[i]);
    return series_.emplace(std::move(key), make_.add(named)).first->second;
  }

  void Remove(std::initializer_list<std::string_view> values) {
    const std::vector<std::string> key = KeyOf(values);
    const std::lock_guard lock(mutex_);
    const auto found = series_.find(key);
    if (found == series_.end()) return;
    make_.remove(found->second);
    series_.erase(found);
  }

  bool HasLabels(const std::vector<std::string>& labels) const { return labels_ == labels; }

 private:
  std::vector<std::string> KeyOf(std::initializer_list<std::string_view> values) const {
    if (values.size() != labels_.size()) ProgramMistake(name_, "wrong number of label values");
    std::vector<std::string> key;
    key.reserve(values.size());
    for (const std::string_view value : values) key.push_back(BoundedLabel(value));
    return key;
  }

  const std::string name_;
  const std::vector<std::string> labels_;
  const std::size_t max_series_;
  const Make make_;
  std::mutex mutex_;
  std::map<std::vector<std::string>, Series> series_;
};

template <typename Series>
Series Family<Series>::With(std::initializer_list<std::string_view> values) const {
  return impl_->With(values);
}

template <typename Series>
void Family<Series>::Remove(
    std::initializer_list<std::string_view> values) const requires std::same_as<Series, Gauge> {
  impl_->Remove(values);
}

template class Family<Counter>;
template class Family<Gauge>;
template class Family<Histogram>;

class Metrics::Impl {
 public:
  explicit Impl(std::shared_ptr<prometheus::Registry> registry) : registry_(std::move(registry)) {}

  // The family `name` of `families`, made by `make` on the first call.
  template <typename FamilyImpl, typename Make>
  std::shared_ptr<FamilyImpl> Find(std::map<std::string, std::shared_ptr<FamilyImpl>>& families,
                                   std::string_view name,
                                   std::initializer_list<std::string_view> labels,
                                   std::size_t max_series, Make make) {
    const std::vector<std::string> names(labels.begin(), labels.end());
    const std::string text(name);
    const std::lock_guard lock(mutex_);
    auto& family = families[text];
    if (family == nullptr) {
      family = std::make_shared<FamilyImpl>(text, names, max_series, make());
    } else if (!family->HasLabels(names)) {
      ProgramMistake(text, "asked for again with other labels");
    }
    return family;
  }

  prometheus::Registry& registry() { return *registry_; }
  std::shared_ptr<prometheus::Registry> shared() const { return registry_; }

  std::map<std::string, std::shared_ptr<CounterFamily::Impl>> counters;
  std::map<std::string, std::shared_ptr<GaugeFamily::Impl>> gauges;
  std::map<std::string, std::shared_ptr<HistogramFamily::Impl>> histograms;

 private:
  std::shared_ptr<prometheus::Registry> registry_;
  std::mutex mutex_;
};

Metrics::Metrics() : Metrics(std::make_shared<prometheus::Registry>()) {}

Metrics::Metrics(std::shared_ptr<prometheus::Registry> registry)
    : impl_(std::make_unique<Impl>(std::move(registry))) {}

Metrics::~Metrics() = default;

CounterFamily Metrics::Counters(std::string_view name, std::string_view help,
                                std::initializer_list<std::string_view> labels,
                                std::size_t max_series) {
  return CounterFamily(impl_->Find(impl_->counters, name, labels, max_series, [&] {
    auto& family = prometheus::BuildCounter()
                       .Name(std::string(name))
                       .Help(std::string(help))
                       .Register(impl_->registry());
    return CounterFamily::Impl::Make{
        [&family](const prometheus::Labels& values) { return Counter(family.Add(values)); }};
  }));
}

GaugeFamily Metrics::Gauges(std::string_view name, std::string_view help,
                            std::initializer_list<std::string_view> labels,
                            std::size_t max_series) {
  return GaugeFamily(impl_->Find(impl_->gauges, name, labels, max_series, [&] {
    auto& family = prometheus::BuildGauge()
                       .Name(std::string(name))
                       .Help(std::string(help))
                       .Register(impl_->registry());
    return GaugeFamily::Impl::Make{
        [&family](const prometheus::Labels& values) { return Gauge(family.Add(values)); },
        [&family](const Gauge& gauge) { family.Remove(gauge.series_); }};
  }));
}

HistogramFamily Metrics::Histograms(std::string_view name, std::string_view help,
                                    std::initializer_list<std::string_view> labels,
                                    std::vector<double> bounds, std::size_t max_series) {
  return HistogramFamily(impl_->Find(impl_->histograms, name, labels, max_series, [&] {
    auto& family = prometheus::BuildHistogram()
                       .Name(std::string(name))
                       .Help(std::string(help))
                       .Register(impl_->registry());
    return HistogramFamily::Impl::Make{[&family, bounds](const prometheus::Labels& values) {
      return Histogram(family.Add(values, bounds));
    }};
  }));
}

std::shared_ptr<prometheus::Collectable> Metrics::Registry() const { return impl_->shared(); }

std::string Metrics::Exposition() const {
  return prometheus::TextSerializer().Serialize(impl_->shared()->Collect());
}

}  // namespace yikatong::telemetry
