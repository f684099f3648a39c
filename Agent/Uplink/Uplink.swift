package import Configuration
package import Logging
package import Posix
package import Units
package import Wire

/// Sends one stream over all links of the board to one receiver.
///
/// `send` is for the streaming thread and never waits; everything else runs on a thread of its own.
package protocol Uplink: AnyObject, Sendable {
    /// What happens to the links; a slow reader loses the oldest.
    var events: AsyncStream<UplinkEvent> { get }

    /// Queues whole transport stream packets. Streaming thread; copies, never waits.
    func send(_ bytes: UnsafeRawBufferPointer)

    /// The board's links as they are now, and what is decided about them, by name: costs and ceilings, which stock RIST knows nothing of.
    func update(links: [Link], rules: [String: LinkRule])

    /// Each link of the board, as of at most 100 ms ago.
    func telemetry() -> [LinkTelemetry]

    /// All of them together, as of at most 100 ms ago; nil where the carrier does not know.
    func bondTelemetry() -> BondTelemetry?

    func counters() -> UplinkCounters

    /// What the encoder may make now, transport stream and all; nil where the carrier does not know, or no link is up.
    func rate() -> Bitrate?

    /// Ends its threads and closes its sockets; `send` does nothing after it.
    func stop()
}

extension Uplink {
    package func update(links: [Link]) { update(links: links, rules: [:]) }
}

package enum UplinkFailure: Error, Sendable, CustomStringConvertible {
    /// The stream key is not 16 to 120 characters of base64url.
    case key
    case system(String)

    package var description: String {
        switch self {
        case .key: "the stream key is not 16 to 120 characters of base64url"
        case .system(let text): text
        }
    }
}

package struct UplinkCounters: Sendable, Hashable {
    package var packetsTotal = 0
    package var bytesTotal = 0
    /// Dropped because more is offered than the links carry.
    package var congestedTotal = 0
    /// Dropped because there was no link yet.
    package var refusedTotal = 0

    package init() {}
}

/// The uplink of a plan: our own bond, or stock RIST where the receiver is not ours.
/// - Parameter names: how receivers that are named are found.
package func makeUplink(transport: Transport, names: NameLookup = .system, log: Log) throws(UplinkFailure) -> any Uplink {
    switch transport.carrier {
    case .bond: try BondUplink(transport: transport, names: names, log: log)
    case .rist: try StandardUplink(transport: transport, names: names, log: log)
    }
}
