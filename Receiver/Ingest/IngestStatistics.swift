package import Units
package import Wire

/// What an `Ingest` has seen; totals are since its start.
package struct IngestStatistics: Sendable, Hashable {
    /// One per address that media comes from.
    package var paths: [PathReport] = []
    /// Media delivered in the last second.
    package var bitrate = Bitrate(bitsPerSecond: 0)
    package var deliveredPacketsTotal = 0
    /// Missing from what was delivered, by our own count of sequence numbers.
    package var lostPacketsTotal = 0
    /// Lost on a link, and repaired by a retransmission in time.
    package var recoveredPacketsTotal = 0
    /// Came too late, twice or from a second sender, and were not delivered.
    package var discardedPacketsTotal = 0
    /// From source to output, the longest of the last second; nil where nothing was delivered, and with stock RIST.
    package var latencyMs: Double?
    /// Refused before anything was made of it.
    package var guardDropped = GuardDropped()

    package struct GuardDropped: Sendable, Hashable {
        package var malformed = 0
        package var plaintext = 0
        package var zeroNonce = 0
        /// Of another key, stream or connection.
        package var unauthentic = 0
        package var replayed = 0
        /// Over the limits of new nonces or of sources.
        package var limited = 0
        package var total: Int { malformed + plaintext + zeroNonce + unauthentic + replayed + limited }
    }

    package init() {}
}
