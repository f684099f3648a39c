import Wire

/// Reads a modem's figures out of what a stick's pages say. Source: as `StickPage`; the numbers are those of the pages' own scripts.
///
/// Nothing is believed: what is no number, or one that cannot be, is nil.
struct StickReading: Sendable, Hashable {
    var information: [String: String] = [:]
    var status: [String: String] = [:]
    var signal: [String: String] = [:]
    var network: [String: String] = [:]
    var pin: [String: String] = [:]

    /// - Parameter link: stands for the number of a stick that does not tell it without a login.
    func figures(link: String) -> ModemTelemetry {
        var figures = ModemTelemetry(id: id ?? "stick:\(link)", link: link, model: model, state: state, sim: sim)
        figures.reason = reason
        figures.registration = registration
        figures.technology = technology
        if isServed {
            figures.network = [network["FullName"], network["ShortName"], network["Numeric"]].compactMap { $0 }
                .first { !$0.isEmpty }?.bounded(to: 64)
            figures.band = band
            figures.signalPercent = signalPercent
            figures.rssiDbm = Self.measured(signal["rssi"], in: -150...0)
            figures.rsrpDbm = Self.measured(signal["rsrp"], in: -200...0) ?? Self.measured(signal["rscp"], in: -200...0)
            figures.rsrqDb = Self.measured(signal["rsrq"], in: -60...30) ?? Self.measured(signal["ecio"], in: -60...30)
            figures.sinrDb = Self.measured(signal["sinr"], in: -60...60)
        }
        return figures
    }

    private func number(_ text: String?) -> Int? { text.flatMap { $0.utf8.count <= 9 ? Int($0) : nil } }

    /// `-96dBm`, `-11.0dB`, `>=-51dBm`: what is beyond what it measures is the end of that.
    static func measured(_ text: String?, in range: ClosedRange<Double>) -> Double? {
        guard let text, text.utf8.count <= 16 else { return nil }
        let digits = text.drop { "<>= ".contains($0) }.prefix { "-.0123456789".contains($0) }
        guard let value = Double(digits), range.contains(value) else { return nil }
        return (value * 10).rounded() / 10
    }

    /// The IMEI.
    private var id: String? { Self.digits(information["Imei"], 14...17) }

    /// ICCID, 18 to 20 digits; firmware 22 ends it with the half byte that fills up (`8970199201121107156F`).
    var simNumber: String? {
        guard var text = information["Iccid"] else { return nil }
        if text.last == "F" || text.last == "f" { text.removeLast() }
        return Self.digits(text, 18...20)
    }

    private static func digits(_ text: String?, _ count: ClosedRange<Int>) -> String? {
        guard let text, count.contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return text
    }

    private var model: String {
        let name = (information["DeviceName"] ?? "").bounded(to: 60)
        return name.isEmpty ? "HiLink stick" : "\(name) (HiLink)"
    }

    // MARK: State

    /// `SimState` of the page of the PIN, which is asked where `SimStatus` is not 1.
    private var sim: ModemTelemetry.SIM {
        switch number(pin["SimState"]) {
        case 255: return .missing
        case 256: return .failed
        case 260: return .pin
        case 261: return .puk
        case (257...259)?: return status["simlockStatus"] == "1" ? .blocked : .ready
        default: break
        }
        if status["simlockStatus"] == "1" { return .blocked }
        switch number(status["SimStatus"]) {
        // 2 to 4: valid, and not for calls, not for data, or neither.
        case 1, 2, 3, 4, 240: return .ready
        case 0, 255: return .missing
        default: return .unknown
        }
    }

    /// Whether the page of the PIN is worth a question.
    var mayBeLocked: Bool { status["SimStatus"] != "1" }

    private var service: Int? { number(status["ServiceStatus"]) }
    private var isServed: Bool { service == 2 || state == .connected }
    private var connection: Int? { number(status["ConnectionStatus"]) }

    private var state: ModemTelemetry.State {
        switch sim {
        case .missing, .failed: return .failed
        case .pin, .puk, .blocked: return .locked
        case .ready, .unknown: break
        }
        switch connection {
        case nil: return .starting
        case 901: return .connected
        case 900: return .connecting
        default: return service == 2 ? .registered : .searching
        }
    }

    private var reason: String? {
        switch sim {
        case .missing: return "there is no SIM card in it, or none that it can use"
        case .failed: return "its SIM card cannot be read"
        case .pin: return "its SIM card wants the PIN: enter it on its page, or take the PIN off the card"
        case .puk: return "its SIM card wants the PUK: the PIN was wrong too often"
        case .blocked: return "it is locked to another network"
        case .ready, .unknown: break
        }
        switch (state, connection) {
        case (.registered, 902), (.registered, 903):
            return registration == .roaming
                ? "it is roaming and not connected: mobile data abroad may be off on its page"
                : "it has a network and is not connected: mobile data may be off on its page"
        case (.registered, let code?): return "its network does not connect it (\(code)): its page has the access point"
        default: return nil
        }
    }

    private var registration: ModemTelemetry.Registration? {
        switch service {
        case 2?: status["RoamingStatus"] == "1" ? .roaming : .home
        case 1?, 3?: .limited
        case 0?, 4?: sim == .ready ? .searching : .idle
        default: nil
        }
    }

    // MARK: Signal

    /// `CurrentNetworkTypeEx`, where it has that, is the finer one; the other has 19 for LTE.
    private var technology: String? {
        switch number(status["CurrentNetworkTypeEx"]) {
        case nil, 0: break
        case 1: return "GSM"
        case 2: return "GPRS"
        case 3: return "EDGE"
        case (21...36)?: return "CDMA"
        case 41, 61: return "UMTS"
        case (42...44)?, (62...64)?: return "HSPA"
        case 45, 46, 65: return "HSPA+"
        case 101, 1011: return "LTE"
        case 111: return "5G"
        default: break
        }
        switch number(status["CurrentNetworkType"]) {
        case 1: return "GSM"
        case 2: return "GPRS"
        case 3: return "EDGE"
        case 4, 8: return "UMTS"
        case (5...7)?: return "HSPA"
        case 9, 17, 18: return "HSPA+"
        case (10...16)?: return "CDMA"
        case 19: return "LTE"
        case 20: return "5G"
        default: return nil
        }
    }

    /// The one that is used now. Of 5G beside LTE it is not said whose band it is.
    private var band: String? {
        guard technology == "LTE", let band = number(signal["band"]), (1...255).contains(band) else { return nil }
        return "B\(band)"
    }

    private var signalPercent: Int? {
        if let percent = number(status["SignalStrength"]), (0...100).contains(percent) { return percent }
        guard let bars = number(status["SignalIcon"]), (0...10).contains(bars) else { return nil }
        let most = number(status["maxsignal"]).flatMap { (1...10).contains($0) ? $0 : nil } ?? 5
        return min(bars * 100 / most, 100)
    }
}
