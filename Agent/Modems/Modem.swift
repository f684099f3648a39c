import DBus
package import Wire

/// A modem, as ModemManager's properties tell of it.
package struct Modem: Sendable, Hashable {
    /// Its object on the bus; another one after each plugging in.
    package let path: String
    /// What a person and control are told; `link` is filled in by who knows the links.
    package var figures: ModemTelemetry
    /// Names of its network interfaces.
    package var interfaces: [String]
    /// The port that commands go over, `cdc-wdm0`: NetworkManager's name for the device.
    package var controlPort: String
    package var simPath: String?
    /// The number of its SIM card (ICCID), once it was read.
    package var simNumber: String?
    /// Tries left for the PIN; nil where the modem does not tell.
    package var pinTries: Int?
    package var bearers: [String]
    /// Nothing of the extended signal is asked for yet, though it could be.
    package var wantsSignal: Bool
    /// The location sources that are on, where satellites could be used and are not.
    package var unusedSatellites: Int?

    /// - Parameter interfaces: its properties, by D-Bus interface.
    /// - Returns: nil for an object that is no modem.
    init?(path: String, _ interfaces: [String: [String: BusValue]]) {
        guard let modem = interfaces[Names.modem] else { return nil }
        self.path = path
        let reading = ModemReading(modem: modem, interfaces: interfaces)
        figures = reading.figures
        self.interfaces = reading.ports(ofType: 2)
        controlPort = modem["PrimaryPort"]?.text?.bounded(to: 64) ?? ""
        // "/" is no SIM: why there is none is what StateFailedReason says.
        simPath = modem["Sim"]?.path.flatMap { $0 == "/" ? nil : $0 }
        pinTries = modem["UnlockRetries"]?[Lock.simPIN]?.integer
        bearers = (modem["Bearers"]?.list ?? []).prefix(16).compactMap(\.path)
        let isEnabled = (modem["State"]?.integer ?? 0) >= State.enabled
        wantsSignal = isEnabled && interfaces[Names.signal]?["Rate"]?.integer == 0
        unusedSatellites = isEnabled ? reading.unusedSatellites : nil
    }

    /// MMModemState.
    enum State {
        static let locked = 2, disabled = 3, enabled = 6, registered = 8, connected = 11
    }

    /// MMModemLock.
    enum Lock {
        static let none = 1, simPIN = 2, simPIN2 = 3, simPUK = 4, simPUK2 = 5
    }
}

/// What ModemManager calls things.
enum Names {
    static let service = "org.freedesktop.ModemManager1"
    static let root = "/org/freedesktop/ModemManager1"
    static let modems = "/org/freedesktop/ModemManager1/Modem"
    static let modem = "org.freedesktop.ModemManager1.Modem"
    static let cellular = "org.freedesktop.ModemManager1.Modem.Modem3gpp"
    static let signal = "org.freedesktop.ModemManager1.Modem.Signal"
    static let location = "org.freedesktop.ModemManager1.Modem.Location"
    static let simple = "org.freedesktop.ModemManager1.Modem.Simple"
    static let sim = "org.freedesktop.ModemManager1.Sim"
    static let bearer = "org.freedesktop.ModemManager1.Bearer"
}
