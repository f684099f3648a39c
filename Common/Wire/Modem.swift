/// A modem as the board's modem daemon knows it. What the modem does not tell is nil.
package struct ModemTelemetry: Codable, Sendable, Hashable {
    /// Of the modem, the same after it was plugged out and in.
    package var id: String
    /// The link that it carries; nil while it has no network interface that may carry media.
    package var link: String?
    /// Maker and model, for a person.
    package var model: String
    package var state: State
    /// Why it has failed or cannot be used, a sentence for a person.
    package var reason: String?
    package var sim: SIM
    package var registration: Registration?
    /// The network that it is registered with.
    package var network: String?
    /// `LTE`, `5G`, `HSPA+`
    package var technology: String?
    /// The one that is chosen, `B20`, `n78`; nil where the modem may use several and does not tell.
    package var band: String?
    /// 0 to 100, by the daemon's reckoning.
    package var signalPercent: Int?
    package var rssiDbm: Double?
    package var rsrpDbm: Double?
    package var rsrqDb: Double?
    package var sinrDb: Double?
    /// Where its satellite receiver sees the board.
    package var position: Position?

    package enum State: String, Codable, Sendable, CaseIterable {
        case starting, failed, locked, disabled, searching, registered, connecting, connected
    }

    package enum SIM: String, Codable, Sendable, CaseIterable {
        case ready
        /// Wants its PIN, its PUK, or another code of the maker's or the operator's.
        case pin, puk, blocked
        case missing, failed, unknown
    }

    package enum Registration: String, Codable, Sendable, CaseIterable {
        case idle, searching, home, roaming, denied
        /// Emergency calls or short messages only.
        case limited
    }

    package init(id: String, link: String? = nil, model: String, state: State, sim: SIM) {
        self.id = id
        self.link = link
        self.model = model
        self.state = state
        self.sim = sim
    }
}

/// A place on Earth, WGS 84.
package struct Position: Codable, Sendable, Hashable {
    /// Degrees, north.
    package var latitude: Double
    /// Degrees, east.
    package var longitude: Double
    package var altitudeMeters: Double?

    /// - Returns: nil for what is no place.
    package init?(latitude: Double, longitude: Double, altitudeMeters: Double? = nil) {
        // A receiver without a fix may say 0, 0; nobody broadcasts from that sea.
        guard (-90...90).contains(latitude), (-180...180).contains(longitude), latitude != 0 || longitude != 0 else { return nil }
        self.latitude = latitude
        self.longitude = longitude
        self.altitudeMeters = altitudeMeters.flatMap { (-1000...100_000).contains($0) ? $0 : nil }
    }
}
