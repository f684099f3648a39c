import Crypto
package import Units

/// What an organisation gives to whoever may register with it: 80 bits, in letters and digits that nobody takes for others.
package enum RegistrationCode {
    private static let letters = Array("23456789ABCDEFGHJKLMNPQRSTUVWXYZ")
    private static let length = 16

    /// `7K2Q-9XWB-3MRD-HT5A`.
    package static func fresh() -> Secret {
        grouped(randomBytes(length).map { letters[Int($0) % letters.count] })
    }

    /// What somebody typed, as it was given out: in either case, with or without its hyphens.
    static func canonical(_ typed: Secret) -> Secret {
        grouped(Array(typed.revealed.uppercased().filter(letters.contains).prefix(length + 1)))
    }

    private static func grouped(_ letters: [Character]) -> Secret {
        let groups = stride(from: 0, to: letters.count, by: 4).map { String(letters[$0..<min($0 + 4, letters.count)]) }
        return Secret(groups.joined(separator: "-"))
    }
}
