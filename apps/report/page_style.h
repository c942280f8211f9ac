// What pages look like and the little that they do.
#pragma once

namespace ratnet::inline v1 {

// Neither holds "<" or "&", so that a page is XML, too.
extern const char* const kPageStyle;
extern const char* const kPageScript;

}  // namespace ratnet::inline v1
