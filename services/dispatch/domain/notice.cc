#include "services/dispatch/domain/notice.h"

#include <fmt/format.h>

namespace yikatong::dispatch {

std::string NoticeLineBytes(const NoticeLine& line) {
  return fmt::format(
      "yikatong-notice/v1\nline: {}\nname: {}\nvillage: {}\namount_fen: {}\npeople: {}\nitem: {}\n",
      line.line, line.masked_name, line.village, line.amount_fen, line.people, line.item_id);
}

NoticeLine WithoutSmallCells(NoticeLine line) {
  if (line.people < kSmallestCell) {
    line.people = 0;
    line.amount_fen = 0;
  }
  return line;
}

}  // namespace yikatong::dispatch
