import Crypto
import FoundationEssentials
import Units

/// That a PIN was tried in a modem: a wrong one is tried once and never again, also not after a loss of power.
struct PINAttempt: Codable, Sendable, Hashable {
    /// Of the modem and the PIN; the PIN itself stands in the configuration alone.
    var digest: String
    /// What were left before it.
    var tries: Int?
    var outcome: Outcome

    enum Outcome: String, Codable, Sendable { case begun, refused }

    init(_ pin: Secret, in modem: Modem, _ outcome: Outcome) {
        digest = Self.digest(pin, modem)
        tries = modem.pinTries
        self.outcome = outcome
    }

    func isOf(_ pin: Secret, in modem: Modem) -> Bool { digest == Self.digest(pin, modem) }

    private static func digest(_ pin: Secret, _ modem: Modem) -> String {
        SHA256.hash("strata-pin \(modem.figures.id) \(pin.revealed)").map { String($0, radix: 16) }.joined(separator: ".")
    }
}

/// The attempts, by modem, in a file (0600) that is written before a PIN is sent.
struct PINLedger: Sendable {
    let path: String

    /// Throws for a file that cannot be read: no PIN is sent then.
    func attempts() throws -> [String: PINAttempt] {
        guard let text = try KeyFile.read(path) else { return [:] }
        return try JSONDecoder().decode([String: PINAttempt].self, from: Data(text.utf8))
    }

    func write(_ attempt: PINAttempt?, for modem: Modem) throws {
        var all = try attempts()
        all[modem.figures.id] = attempt
        try KeyFile.write(String(decoding: try JSONEncoder().encode(all), as: UTF8.self), to: path)
    }
}
