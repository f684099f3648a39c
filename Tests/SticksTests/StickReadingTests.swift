import Testing
import Wire

@testable import Sticks

@Suite struct StickReadingTests {
    /// As an E3372h-320 answers.
    static let connected = StickReading(
        information: ["DeviceName": "E3372h-320", "Imei": "861234567890123", "Iccid": "8970199201121107156F"],
        status: [
            "ConnectionStatus": "901", "SignalStrength": "", "SignalIcon": "4", "maxsignal": "5", "CurrentNetworkType": "19",
            "RoamingStatus": "0",
            "simlockStatus": "0", "ServiceStatus": "2", "SimStatus": "1", "CurrentNetworkTypeEx": "101",
        ],
        signal: ["rsrq": "-11.5dB", "rsrp": "-97dBm", "rssi": ">=-51dBm", "sinr": "8dB", "rscp": "", "band": "20"],
        network: ["FullName": "Telekom.de", "ShortName": "TDG", "Numeric": "26201"])

    private func figures(_ edit: (inout StickReading) -> Void) -> ModemTelemetry {
        var reading = Self.connected
        edit(&reading)
        return reading.figures(link: "eth1")
    }

    @Test("the same figures as of any modem are read out of its pages")
    func connected() {
        let figures = figures { _ in }
        #expect(figures.id == "861234567890123" && figures.link == "eth1" && figures.model == "E3372h-320 (HiLink)")
        #expect(figures.state == .connected && figures.sim == .ready && figures.registration == .home && figures.reason == nil)
        #expect(figures.network == "Telekom.de" && figures.technology == "LTE" && figures.band == "B20" && figures.signalPercent == 80)
        #expect(figures.rsrpDbm == -97 && figures.rsrqDb == -11.5 && figures.sinrDb == 8 && figures.rssiDbm == -51)
        #expect(Self.connected.simNumber == "8970199201121107156")
    }

    @Test("a number that cannot be one is not shown")
    func nonsense() {
        for text in ["", "dBm", "-", "--97", "-97000dBm", "1e99", "nan", "inf", "1.2.3", "5dBm"] {
            #expect(StickReading.measured(text, in: -200...0) == nil, "\(text)")
        }
        #expect(StickReading.measured("<-120dBm", in: -200...0) == -120)
        let figures = figures {
            $0.information["Imei"] = "86x"
            $0.information["DeviceName"] = "E\u{202E}3372"
            $0.network["FullName"] = String(repeating: "n", count: 500)
            $0.status["SignalIcon"] = "99999999999999999999"
            $0.signal["band"] = "-3"
        }
        #expect(figures.id == "stick:eth1" && figures.model == "E 3372 (HiLink)" && figures.network?.count == 64)
        #expect(figures.signalPercent == nil && figures.band == nil)
        for card in ["", "F", "89701992011211", "8970199201121107156X", "897019920112110715600000"] {
            var reading = Self.connected
            reading.information["Iccid"] = card
            #expect(reading.simNumber == nil, "\(card)")
        }
    }

    @Test("what keeps it from being connected is a state and a sentence")
    func states() {
        let cases: [(String, [String: String], String?, ModemTelemetry.State, ModemTelemetry.SIM, String?)] = [
            ("no card", ["SimStatus": "255"], "255", .failed, .missing, "there is no SIM card in it"),
            ("PIN", ["SimStatus": "0", "ServiceStatus": "0"], "260", .locked, .pin, "its SIM card wants the PIN"),
            ("PUK", ["SimStatus": "0"], "261", .locked, .puk, "the PUK"),
            ("simlock", ["simlockStatus": "1"], nil, .locked, .blocked, "locked to another network"),
            ("off", ["ConnectionStatus": "902"], nil, .registered, .ready, "mobile data may be off"),
            ("abroad", ["ConnectionStatus": "902", "RoamingStatus": "1"], nil, .registered, .ready, "roaming"),
            ("refused", ["ConnectionStatus": "37"], nil, .registered, .ready, "(37)"),
            ("dialling", ["ConnectionStatus": "900"], nil, .connecting, .ready, nil),
            ("no service", ["ConnectionStatus": "902", "ServiceStatus": "0"], nil, .searching, .ready, nil),
        ]
        for (name, status, pin, state, sim, reason) in cases {
            let figures = figures {
                $0.status.merge(status) { $1 }
                if let pin { $0.pin["SimState"] = pin }
            }
            #expect(figures.state == state && figures.sim == sim, "\(name): \(figures)")
            #expect(reason.map { figures.reason?.contains($0) == true } ?? (figures.reason == nil), "\(name): \(figures.reason ?? "")")
        }
        let searching = figures { $0.status.merge(["ConnectionStatus": "902", "ServiceStatus": "0"]) { $1 } }
        #expect(searching.rsrpDbm == nil && searching.network == nil && searching.registration == .searching)
    }

    @Test("the network's kind is the finer one's, else the other's")
    func technologies() {
        for (fine, coarse, expected) in [
            ("46", "9", "HSPA+"), ("41", "4", "UMTS"), ("3", "3", "EDGE"), ("0", "19", "LTE"), ("", "7", "HSPA"), ("1011", "19", "LTE"),
            ("111", "20", "5G"), ("", "", nil), ("7777", "7777", nil),
        ] as [(String, String, String?)] {
            let figures = figures {
                $0.status["CurrentNetworkTypeEx"] = fine
                $0.status["CurrentNetworkType"] = coarse
            }
            #expect(figures.technology == expected, "\(fine) \(coarse)")
        }
    }
}
