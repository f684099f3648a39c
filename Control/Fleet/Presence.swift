import Posix
import Units

/// Which senders came and went, as it is told to others: a short absence is none, e.g. while a board dials on another link. Holds no clock.
struct Presence {
    /// As others know it.
    private var told: Set<DeviceID>
    /// Of those that are told as online and are not there.
    private var awaySince: [DeviceID: Instant]

    /// How long a sender is away before it is told.
    static let patience = Duration.seconds(10)
    /// The same after a start of control: boards dial again after half a minute at most (`Redial`).
    static let startPatience = Duration.seconds(45)

    /// - Parameter told: those that were told as online, by the control before.
    init(told: Set<DeviceID>, at now: Instant) {
        self.told = told
        awaySince = Dictionary(uniqueKeysWithValues: told.map { ($0, now + (Self.startPatience - Self.patience)) })
    }

    /// - Parameter online: whoever is there.
    /// - Returns: what has to be told; it is returned again until it was.
    mutating func look(_ online: Set<DeviceID>, at now: Instant) -> (came: Set<DeviceID>, gone: Set<DeviceID>) {
        let away = told.subtracting(online)
        awaySince = awaySince.filter { away.contains($0.key) }
        for device in away where awaySince[device] == nil { awaySince[device] = now }
        return (online.subtracting(told), Set(awaySince.filter { now - $0.value >= Self.patience }.keys))
    }

    mutating func wasTold(came: Set<DeviceID>, gone: Set<DeviceID>) {
        told = told.union(came).subtracting(gone)
        for device in gone { awaySince[device] = nil }
    }
}
