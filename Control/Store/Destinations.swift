import Crypto
import SQLite
package import Units
package import Wire

/// A place a broadcast can be sent to, saved once and used often. Its secret goes in and never comes out to a person.
package struct Destination: Sendable, Hashable, Encodable, OrganizationRow {
    package let id: DestinationID
    package let name: String
    package let endpoint: DestinationEndpoint
    /// Whether a stream key or passphrase is stored.
    package let hasSecret: Bool
    package let createdAt: Timestamp
    package let updatedAt: Timestamp

    static var table: OrganizationTable { .destinations }

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        name = try row["name"]
        let endpoint: JSONColumn<DestinationEndpoint> = try row["endpoint"]
        self.endpoint = endpoint.value
        let secret: [UInt8]? = try row["secret"]
        hasSecret = secret != nil
        createdAt = try row["created_at"]
        updatedAt = try row["updated_at"]
    }
}

/// Where a destination is, in validated fields: no URL is stored.
package enum DestinationEndpoint: Sendable, Hashable, Codable {
    case rtmp(RTMP)
    case srt(SRT)

    package struct RTMP: Sendable, Hashable, Codable {
        package var platform: Platform
        package var tls: Bool
        package var host: String
        package var port: Int
        /// `live2`, or `app/instance`, without slashes at its ends.
        package var application: String

        package init(platform: Platform = .custom, tls: Bool, host: String, port: Int, application: String) {
            self.platform = platform
            self.tls = tls
            self.host = host
            self.port = port
            self.application = application
        }
    }

    package struct SRT: Sendable, Hashable, Codable {
        package var mode: SRTTarget.Mode
        /// The peer for a caller; empty for a listener, whose address and port come from its lease.
        package var host: String
        package var port: Int
        package var streamID: String?
        package var latencyMs: Int

        package init(mode: SRTTarget.Mode, host: String, port: Int, streamID: String? = nil, latencyMs: Int = 120) {
            self.mode = mode
            self.host = host
            self.port = port
            self.streamID = streamID
            self.latencyMs = latencyMs
        }
    }

    package enum Platform: String, Sendable, Codable, CaseIterable {
        case custom, youtube, twitch
    }

    /// YouTube's and Twitch's ingest, of which only the stream key is the user's.
    ///
    /// Source: YouTube Live Help, "Live streaming via RTMPS"; Twitch's list of ingest endpoints (ingest.twitch.tv).
    package static func preset(_ platform: Platform) -> DestinationEndpoint? {
        switch platform {
        case .custom: nil
        case .youtube: .rtmp(RTMP(platform: .youtube, tls: true, host: "a.rtmps.youtube.com", port: 443, application: "live2"))
        case .twitch:
            .rtmp(RTMP(platform: .twitch, tls: true, host: "ingest.global-contribute.live-video.net", port: 443, application: "app"))
        }
    }

    /// - Throws: `.invalid` for a field that could say more than it should; what it resolves to is the outbound guard's to judge.
    func check() throws(StoreError) {
        switch self {
        case .rtmp(let rtmp):
            try Self.check(host: rtmp.host, port: rtmp.port)
            let parts = rtmp.application.split(separator: "/", omittingEmptySubsequences: false)
            let fits = parts.allSatisfy { !$0.isEmpty && $0 != ".." && $0 != "." && $0.utf8.allSatisfy(Self.isPathCharacter) }
            guard fits, (1...2).contains(parts.count), rtmp.application.utf8.count <= 128 else {
                throw .invalid(field: "destination.application", expected: "one or two parts of A-Z a-z 0-9 . _ -, with / between")
            }
        case .srt(let srt):
            if srt.mode == .caller || !srt.host.isEmpty { try Self.check(host: srt.host, port: srt.port) }
            guard (20...8000).contains(srt.latencyMs) else { throw .invalid(field: "destination.latency_ms", expected: "20 to 8000") }
            // SRT carries up to 512 bytes (SRT access control guidelines).
            guard (srt.streamID ?? "").isPlain, (srt.streamID ?? "").utf8.count <= 512 else {
                throw .invalid(field: "destination.stream_id", expected: "at most 512 bytes without control characters")
            }
        }
    }

    /// What the secret may be: a stream key in one line without spaces, or an SRT passphrase of 10 to 79 bytes (SRTO_PASSPHRASE).
    func check(_ secret: Secret) throws(StoreError) {
        let bytes = secret.revealed.utf8
        switch self {
        case .rtmp:
            guard (1...512).contains(bytes.count), bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw .invalid(field: "destination.secret", expected: "a stream key of 1 to 512 visible characters")
            }
        case .srt:
            guard (10...79).contains(bytes.count), bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
                throw .invalid(field: "destination.secret", expected: "a passphrase of 10 to 79 characters")
            }
        }
    }

    private static func check(host: String, port: Int) throws(StoreError) {
        let fits = host.utf8.allSatisfy { character in
            isPathCharacter(character) && character != UInt8(ascii: "_") || character == UInt8(ascii: ":")
        }
        guard fits, (1...253).contains(host.utf8.count) else {
            throw .invalid(field: "destination.host", expected: "a DNS name or an IP address")
        }
        guard (1...65_535).contains(port) else { throw .invalid(field: "destination.port", expected: "1 to 65535") }
    }

    private static func isPathCharacter(_ character: UInt8) -> Bool {
        switch character {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

/// An organisation's destinations.
package struct Destinations: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    /// - Parameter secret: the stream key of RTMP, the passphrase of SRT; an SRT listener must have one (THREATS 9).
    package func create(name: String, endpoint: DestinationEndpoint, secret: Secret?) async throws -> Destination {
        let name = try checked(name, "destination.name", upTo: 100)
        try endpoint.check()
        try Self.check(secret, of: endpoint)
        return try await store.write(.durable) { transaction in
            try transaction.admit(.destinations, of: .destinations, where: "removed_at IS NULL", by: store.quotas, in: scope)
            let id: DestinationID = transaction.newID()
            try naming("name") {
                try transaction.insert(
                    into: .destinations, in: scope,
                    [
                        "id": id, "name": name, "endpoint": try JSONColumn(endpoint), "secret": try seal(secret, of: id),
                        "created_at": transaction.now, "updated_at": transaction.now,
                    ])
            }
            try transaction.note(.destinationCreated, id.text, detail: name, in: scope)
            return try transaction.row(Destination.self, in: scope, where: "id = \(id)", or: "destination")
        }
    }

    package func all() async throws -> [Destination] {
        try await store.read { try $0.rows(Destination.self, in: scope, where: "removed_at IS NULL") }
    }

    package func find(_ id: DestinationID) async throws -> Destination {
        try await store.read { try $0.destination(id, in: scope) }
    }

    /// Changes name and place. A secret that belongs to the place before is never sent to another one: where the host, the
    /// port or the protocol changes, the secret has to be given again.
    package func change(_ id: DestinationID, name: String, endpoint: DestinationEndpoint, secret: Secret?) async throws -> Destination {
        let name = try checked(name, "destination.name", upTo: 100)
        try endpoint.check()
        if secret != nil { try Self.check(secret, of: endpoint) }
        return try await store.write(.durable) { transaction in
            let before = try transaction.destination(id, in: scope)
            if secret == nil, before.hasSecret, before.endpoint != endpoint {
                throw StoreError.invalid(field: "destination.secret", expected: "given again, because the destination changes its place")
            }
            if let secret {
                try transaction.update(.destinations, in: scope, set: ["secret": try seal(secret, of: id)], where: "id = \(id)")
            }
            try naming("name") {
                try transaction.updateOne(
                    .destinations, in: scope,
                    set: ["name": name, "endpoint": try JSONColumn(endpoint), "updated_at": transaction.now],
                    where: "id = \(id)", or: "destination")
            }
            try transaction.note(.destinationChanged, id.text, detail: name, in: scope)
            return try transaction.destination(id, in: scope)
        }
    }

    /// Removes it from the list and its secret from the database; broadcasts that used it keep its name.
    package func remove(_ id: DestinationID) async throws {
        try await store.write(.durable) { transaction in
            try transaction.updateOne(
                .destinations, in: scope, set: ["removed_at": transaction.now, "secret": [UInt8]?.none],
                where: "id = \(id) AND removed_at IS NULL", or: "destination")
            try transaction.note(.destinationRemoved, id.text, in: scope)
        }
    }

    /// Writes down that one was tried, and what came of it.
    package func noteTest(of id: DestinationID, _ outcome: String) async throws {
        try await store.write { try $0.note(.destinationTested, id.text, detail: outcome, in: scope) }
    }

    /// The secret, for the receiver that connects: nil without one. Never for an answer to a person.
    package func secret(of id: DestinationID) async throws -> Secret? {
        let sealed: [UInt8]?? = try await store.read { transaction in
            try transaction.column("secret", of: .destinations, in: scope, where: "id = \(id) AND removed_at IS NULL")
        }
        guard let sealed else { throw StoreError.missing("destination") }
        return try sealed.map { Secret(String(decoding: try store.keyring.open($0, for: place(id)), as: UTF8.self)) }
    }

    private func seal(_ secret: Secret?, of id: DestinationID) throws -> [UInt8]? {
        try secret.map { try store.keyring.seal(Array($0.revealed.utf8), for: place(id)) }
    }

    private func place(_ id: DestinationID) -> SealedPlace {
        SealedPlace(organization: scope.organization.text, column: "destinations.secret", row: id.text)
    }

    private static func check(_ secret: Secret?, of endpoint: DestinationEndpoint) throws {
        if let secret { return try endpoint.check(secret) }
        switch endpoint {
        case .rtmp: throw StoreError.invalid(field: "destination.secret", expected: "a stream key")
        case .srt(let srt) where srt.mode == .listener:
            throw StoreError.invalid(field: "destination.secret", expected: "a passphrase: an SRT listener needs one")
        case .srt: break
        }
    }
}

extension ControlStore {
    package func destinations(in scope: OrganizationScope) -> Destinations { Destinations(store: self, scope: scope) }
}

extension Transaction {
    func destination(_ id: DestinationID, in scope: OrganizationScope) throws -> Destination {
        try row(Destination.self, in: scope, where: "id = \(id) AND removed_at IS NULL", or: "destination")
    }
}
