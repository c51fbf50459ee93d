#pragma once

#include <span>
#include <string>

namespace polyptych::distributed {

/// A process that speaks with the group's store for one rank, so that the program of the rank needs no LibTorch, and so that the
/// store of rank 0 outlives its workers. Ends when its standard input is closed.
///
/// Arguments: --host HOST --port PORT (0: a free one) [--serve] [--prefix TEXT] [--rank R --size N] [--join-timeout MS]
/// [--dead-after MS]. With --serve it keeps the store. Without --rank it does only that.
///
/// Standard input and output carry one JSON object a line. Requests:
///   {"do":"publish","key":K,"value":V}          once for ever: the first value of a key stays
///   {"do":"fetch","key":K,"within":MS}          waits for it
///   {"do":"append","list":L,"value":V}          to a list that all ranks see
///   {"do":"share","units":N}                    the list of units is so long
///   {"do":"lease"}                              units for this rank, as soon as there are some
///   {"do":"finish","first":F,"count":C}
///   {"do":"release"}                            what is leased and not finished is for others
///   {"do":"status","text":T}                    what rank 0 hears of this rank
///   {"do":"watch","list":L}                     tells the values of the list, and those that come
///   {"do":"look"}                               at the signs of life of all, now; looked follows
///   {"do":"leave"}
/// Events: {"event":E, ...} with E
///   connected (port, incarnation), published (key, value: what it has now), value (key, value), lease (first, count), over,
///   item (list, value), rank (rank, state: absent, working, left, lost) of rank 0, looked, left, and on rank 0 status (rank,
///   text) and the states of all, failed (code, message, key of a fetch that ended in vain): without a key it is the end of the
///   process.
/// @param words  the arguments
/// @return exit code
int rendezvousMain(std::span<const std::string> words);

}  // namespace polyptych::distributed
