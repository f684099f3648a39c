import DBus
import Wire

/// Reads the figures of a modem out of its properties. Source: ModemManager-enums.h and the interfaces' XML, 1.20.
///
/// Nothing is believed: a value of another type or outside of what can be is nil.
struct ModemReading {
    let modem: [String: BusValue]
    let interfaces: [String: [String: BusValue]]

    var figures: ModemTelemetry {
        var figures = ModemTelemetry(id: id, model: model, state: state, sim: sim)
        figures.reason = reason
        figures.registration = registration
        let network = interfaces[Names.cellular]?["OperatorName"]?.text ?? ""
        figures.network = network.isEmpty ? nil : network.bounded(to: 64)
        figures.technology = technology
        figures.band = band
        figures.signalPercent = modem["SignalQuality"]?[0]?.integer.flatMap { (0...100).contains($0) ? $0 : nil }
        // Disabled, it keeps the last that it had.
        if stateNumber < Modem.State.enabled { figures.signalPercent = nil }
        let signal = extendedSignal
        figures.rssiDbm = Self.number(signal["rssi"], in: -150...0)
        figures.rsrpDbm = Self.number(signal["rsrp"] ?? signal["rscp"], in: -200...0)
        figures.rsrqDb = Self.number(signal["rsrq"] ?? signal["ecio"], in: -60...30)
        figures.sinrDb = Self.number(signal["snr"] ?? signal["sinr"], in: -60...60)
        figures.position = position
        return figures
    }

    private static func number(_ value: BusValue?, in range: ClosedRange<Double>) -> Double? {
        // A value that the modem did not report may be the smallest number there is.
        value?.finite.flatMap { range.contains($0) ? ($0 * 10).rounded() / 10 : nil }
    }

    private var id: String {
        let id = modem["EquipmentIdentifier"]?.text ?? ""
        return (id.isEmpty ? modem["DeviceIdentifier"]?.text ?? "" : id).bounded(to: 64)
    }

    private var model: String {
        let parts = [modem["Manufacturer"]?.text ?? "", modem["Model"]?.text ?? ""]
        return parts.map { $0.bounded(to: 60) }.filter { !$0.isEmpty }.joined(separator: " ")
    }

    private var stateNumber: Int { modem["State"]?.integer ?? 0 }

    private var state: ModemTelemetry.State {
        switch stateNumber {
        case -1: .failed
        case 2: .locked
        case 3, 4: .disabled
        case 5, 6, 7: .searching
        case 8, 9: .registered
        case 10: .connecting
        case 11: .connected
        default: .starting
        }
    }

    private var failure: Int { modem["StateFailedReason"]?.integer ?? 0 }

    private var sim: ModemTelemetry.SIM {
        if stateNumber == -1 {
            switch failure {
            case 2: return .missing
            case 3, 5: return .failed
            default: return .unknown
            }
        }
        switch modem["UnlockRequired"]?.integer ?? 0 {
        // PIN2 and PUK2 lock the phone book, not the network.
        case Modem.Lock.none, Modem.Lock.simPIN2, Modem.Lock.simPUK2: return .ready
        case Modem.Lock.simPIN: return .pin
        case Modem.Lock.simPUK: return .puk
        case 6...16: return .blocked
        default: return .unknown
        }
    }

    private var reason: String? {
        if stateNumber == -1 {
            switch failure {
            case 2: return "there is no SIM card in it"
            case 3: return "its SIM card cannot be read"
            case 4: return "it does not say what it can do"
            case 5: return "its eSIM has no profile"
            default: return "it has failed and does not say why"
            }
        }
        switch sim {
        case .pin: return "its SIM card wants the PIN"
        case .puk: return "its SIM card wants the PUK: the PIN was wrong too often"
        case .blocked: return "it is locked to another network or device"
        default: return registration == .denied ? "the network refuses this SIM card" : nil
        }
    }

    private var registration: ModemTelemetry.Registration? {
        switch interfaces[Names.cellular]?["RegistrationState"]?.integer {
        case 0: .idle
        case 1, 9: .home
        case 2: .searching
        case 3: .denied
        case 5, 10: .roaming
        case 6, 7, 8, 11: .limited
        default: nil
        }
    }

    /// MMModemAccessTechnology, the best first.
    private static let technologies: [(bits: Int, name: String)] = [
        (1 << 15, "5G"), (1 << 14, "LTE"), (1 << 16, "LTE-M"), (1 << 17, "NB-IoT"), (1 << 9, "HSPA+"), (1 << 6 | 1 << 7 | 1 << 8, "HSPA"),
        (1 << 5, "UMTS"), (1 << 4, "EDGE"), (1 << 3, "GPRS"), (1 << 1 | 1 << 2, "GSM"), (1 << 10 | 1 << 11 | 1 << 12 | 1 << 13, "CDMA"),
    ]

    private var technology: String? {
        guard let bits = modem["AccessTechnologies"]?.integer, bits > 0, bits < 0xFFFF_FFFF else { return nil }
        return Self.technologies.first { bits & $0.bits != 0 }?.name
    }

    /// MMModemBand. CurrentBands are those that may be used, not the one that is: several say nothing.
    private var band: String? {
        guard let bands = modem["CurrentBands"]?.list, bands.count == 1, let number = bands[0].integer else { return nil }
        switch number {
        case 31...115: return "B\(number - 30)"
        case 301...599: return "n\(number - 300)"
        default: return nil
        }
    }

    /// Of the technology that is in use; the daemon keeps a dictionary for each.
    private var extendedSignal: [String: BusValue] {
        let all = interfaces[Names.signal] ?? [:]
        let order =
            switch technology {
            case "5G": ["Nr5g", "Lte"]
            case "LTE", "LTE-M", "NB-IoT": ["Lte", "Nr5g"]
            case "HSPA+", "HSPA", "UMTS": ["Umts"]
            case "CDMA": ["Evdo", "Cdma"]
            case nil: ["Nr5g", "Lte", "Umts", "Gsm"]
            default: ["Gsm"]
            }
        return order.lazy.compactMap { all[$0]?.properties }.first { !$0.isEmpty } ?? [:]
    }

    func ports(ofType type: Int) -> [String] {
        (modem["Ports"]?.list ?? []).prefix(32).compactMap { port in
            port[1]?.integer == type ? port[0]?.text?.bounded(to: 64) : nil
        }
    }

    /// MMModemLocationSource: raw satellite positions.
    static let satellites = 1 << 1

    private var position: Position? {
        guard let raw = interfaces[Names.location]?["Location"]?[Self.satellites], let latitude = raw["latitude"]?.finite,
            let longitude = raw["longitude"]?.finite
        else { return nil }
        return Position(latitude: latitude, longitude: longitude, altitudeMeters: raw["altitude"]?.finite)
    }

    var unusedSatellites: Int? {
        guard let location = interfaces[Names.location], let able = location["Capabilities"]?.integer, able & Self.satellites != 0,
            let enabled = location["Enabled"]?.integer, (0...0xFFFF).contains(enabled)
        else { return nil }
        let isOn = enabled & Self.satellites != 0 && location["SignalsLocation"]?.boolean == true
        return isOn ? nil : enabled
    }
}
