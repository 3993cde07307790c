// Metrics of a process, as Prometheus reads them.
//
//   telemetry::Metrics metrics;                                  // in main, passed on by reference
//   CounterFamily refused = metrics.Counters("yikatong_refusals_total", "Refused calls.",
//   {"method", "reason"}); refused.With({"CreateBatch", "BATCH_EMPTY"}).Increment();
//
// Labels are bounded: a family holds at most `max_series` sets of label values; further ones are
// counted under "other" in every label, and so is a value that is longer than 80 bytes or looks
// like a number of a person, account or phone. An id is never a label. Everything here is thread
// safe. With() looks a series up under a lock: a hot path keeps what it returned.
#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace prometheus {
class Collectable;
class Counter;
class Gauge;
class Histogram;
class Registry;
}  // namespace prometheus

namespace yikatong::telemetry {

inline constexpr std::size_t kMaxSeries = 512;

// The three series. Copies stand for the same series; they must not outlive the registry.
class Counter {
 public:
  explicit Counter(prometheus::Counter& series) : series_(&series) {}
  // `by` must not be negative.
  void Increment(double by = 1);
  double Value() const;

 private:
  prometheus::Counter* series_;
};

class Gauge {
 public:
  explicit Gauge(prometheus::Gauge& series) : series_(&series) {}
  void Set(double value);
  void Add(double by);
  double Value() const;

 private:
  friend class Metrics;
  prometheus::Gauge* series_;
};

class Histogram {
 public:
  explicit Histogram(prometheus::Histogram& series) : series_(&series) {}
  void Observe(double value);

 private:
  prometheus::Histogram* series_;
};

// A metric with its labels. Copies stand for the same family.
template <typename Series>
class Family {
 public:
  // The series of these label values, in the order of the labels' names. A wrong number of values
  // is a mistake of the program and ends it.
  Series With(std::initializer_list<std::string_view> values = {}) const;

  // Takes the series of these label values off the page, where there is one, and frees its place: a
  // gauge of what is no longer told apart. No copy of it may be used any more.
  void Remove(
      std::initializer_list<std::string_view> values) const requires std::same_as<Series, Gauge>;

 private:
  friend class Metrics;
  class Impl;
  explicit Family(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

using CounterFamily = Family<Counter>;
using GaugeFamily = Family<Gauge>;
using HistogramFamily = Family<Histogram>;

// Seconds, from half a millisecond to ten minutes: one call, one chunk, one file.
std::vector<double> LatencySeconds();

// Hands out families over a registry. Asking for a name again gives the same family.
class Metrics {
 public:
  // With a registry of its own.
  Metrics();
  explicit Metrics(std::shared_ptr<prometheus::Registry> registry);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  CounterFamily Counters(std::string_view name, std::string_view help,
                         std::initializer_list<std::string_view> labels = {},
                         std::size_t max_series = kMaxSeries);
  GaugeFamily Gauges(std::string_view name, std::string_view help,
                     std::initializer_list<std::string_view> labels = {},
                     std::size_t max_series = kMaxSeries);
  // `bounds` are the upper ends of the buckets, ascending.
  HistogramFamily Histograms(std::string_view name, std::string_view help,
                             std::initializer_list<std::string_view> labels = {},
                             std::vector<double> bounds = LatencySeconds(),
                             std::size_t max_series = kMaxSeries);

  // What the /metrics page is made of.
  std::shared_ptr<prometheus::Collectable> Registry() const;

  // The /metrics page.
  std::string Exposition() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace yikatong::telemetry
