// What was prepared for the problems met so far, bounded.
#pragma once

#include <list>
#include <utility>

namespace ratnet::inline v1 {

// Key: a plain struct with ==.
template <class Key, class Value>
class PlanCache {
 public:
  // Far more than one network's: a training that went round a smaller cache would never meet what
  // it prepared, and what is captured has to be prepared.
  static constexpr std::size_t kMost = 4096;

  struct Entry {
    Key key;
    Value value;
    bool captured = false;  // work that was captured uses it: it must stay
  };

  // nullptr where there is none.
  Entry* find(const Key& key) {
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry)
      if (entry->key == key) {
        entries_.splice(entries_.begin(), entries_, entry);
        return &entries_.front();
      }
    return nullptr;
  }

  // The entry that was used longest ago goes where there are too many.
  Entry& add(const Key& key, Value value) {
    if (entries_.size() >= kMost)
      for (auto entry = entries_.end(); entry != entries_.begin();)
        if (!(--entry)->captured) {
          entries_.erase(entry);
          break;
        }
    entries_.push_front({key, std::move(value)});
    return entries_.front();
  }

  std::size_t size() const { return entries_.size(); }

 private:
  std::list<Entry> entries_;  // the one used last in front
};

}  // namespace ratnet::inline v1
