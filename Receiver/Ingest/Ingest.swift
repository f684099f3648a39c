package import Logging
package import Posix
package import Units
package import Wire

/// Takes one stream from a public UDP port: authenticated, put in order, handed out as transport stream packets.
package protocol Ingest: AnyObject, Sendable {
    /// Where it listens, one for each address.
    var addresses: [SocketAddress] { get }

    /// Takes nothing more from outside, and returns when what has come is delivered: a buffer's length after the last packet of
    /// media, and some hundred milliseconds. `stop` follows.
    func settle() async

    /// Ends its threads and closes its ports: no media after it. Not to be called where media is taken.
    func stop()

    /// The figures of this moment; paths are renewed four times a second. Any thread.
    func statistics() -> IngestStatistics
}

package enum IngestFailure: Error, Sendable, CustomStringConvertible {
    /// The stream key is not 16 to 120 characters of base64url.
    case key
    /// Not an address in text form.
    case address(String)
    /// None of the addresses could be bound; the first reason.
    case bind(SystemError)
    case librist(String)
    case system(String)

    package var description: String {
        switch self {
        case .key: "the stream key is not 16 to 120 characters of base64url"
        case .address(let text): "not an IP address: \(text)"
        case .bind(let error): "\(error)"
        case .librist(let text), .system(let text): text
        }
    }
}

/// What an ingest listens with.
package struct IngestSettings: Sendable {
    /// Of all addresses; 0 takes one that is free on the first, which tests do.
    package var port: Int
    /// Addresses in text form, IPv4 and IPv6. One that is not there is reported and left out, unless none is left.
    package var bind: [String]
    package var key: Secret
    /// From source to output for our own senders; how long a packet waits for those before it with stock RIST.
    package var bufferMs: Int

    package init(port: Int, bind: [String], key: Secret, bufferMs: Int) {
        self.port = port
        self.bind = bind
        self.key = key
        self.bufferMs = bufferMs
    }
}

/// - Parameter onMedia: whole transport stream packets in order, on a thread of the ingest, valid during the call: copies and does not wait.
/// - Throws: `IngestFailure`; nothing stays open then.
package func makeIngest(
    _ settings: IngestSettings, carrier: Carrier, log: Log, onMedia: @escaping @Sendable (UnsafeRawBufferPointer) -> Void
) throws -> any Ingest {
    switch carrier {
    case .bond: try BondIngest(settings, log: log, onMedia: onMedia)
    case .rist: try StandardIngest(settings, log: log, onMedia: onMedia)
    }
}
