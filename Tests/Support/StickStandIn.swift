import Foundation

/// The pages of a HiLink stick, in place of hardware: `Fixtures/modems/hilink.py`.
package final class StickStandIn: @unchecked Sendable {
    // Sendable: a test uses it from one task at a time.
    package let program: RunningProgram
    private let path: String
    private var state: [String: Any]

    /// - Parameters:
    ///   - address: where its page is, port 80.
    ///   - number: makes its IMEI and its card's number, `86…` and `8949…`.
    package init(on stage: Stage, at address: String, number: Int, inside: [String] = []) async throws {
        path = stage.folder["stick\(number).json"]
        let digits = String(repeating: "0", count: 11) + "\(number)"
        state = [
            "boot": 1,
            "pages": [
                "device/information": [
                    "DeviceName": "E3372h-320", "Imei": "861\(digits.suffix(12))", "Imsi": "262011234567890", "Iccid": "8949\(digits)000F",
                    "SoftwareVersion": "11.0.1.1(H697SP1C983)", "supportmode": "LTE|WCDMA|GSM", "workmode": "LTE",
                ],
                "monitoring/status": [
                    "ConnectionStatus": "901", "SignalStrength": "", "SignalIcon": "4", "CurrentNetworkType": "19", "RoamingStatus": "0",
                    "simlockStatus": "0", "ServiceStatus": "2", "SimStatus": "1", "CurrentNetworkTypeEx": "101", "maxsignal": "5",
                ],
                "device/signal": [
                    "pci": "271", "rsrq": "-11.5dB", "rsrp": "-97dBm", "rssi": ">=-51dBm", "sinr": "8dB", "rscp": "", "ecio": "",
                    "mode": "7",
                    "band": "\(number)",
                ],
                "net/current-plmn": [
                    "State": "0", "FullName": "Network \(number)", "ShortName": "N\(number)", "Numeric": "26201", "Rat": "7",
                ],
                "pin/status": ["SimState": "257", "PinOptState": "258", "SimPinTimes": "3", "SimPukTimes": "10"],
            ],
        ]
        try JSONSerialization.data(withJSONObject: state).write(to: URL(fileURLWithPath: path))
        program = try stage.start(
            "/usr/bin/python3", [Places.root.appendingPathComponent("Tests/Fixtures/modems/hilink.py").path, address, "80", path],
            inside: inside)
        try await program.line(containing: "listening")
    }

    /// What holds from the next question on; atomically.
    package func set(_ key: String, _ value: Any) throws {
        state[key] = value
        try JSONSerialization.data(withJSONObject: state).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    /// Changes values of one page.
    package func change(_ page: String, _ values: [String: String]) throws {
        var pages = state["pages"] as? [String: [String: String]] ?? [:]
        pages[page, default: [:]].merge(values) { $1 }
        try set("pages", pages)
    }

    /// The questions so far, as `GET /api/…`.
    package var questions: [String] { program.lines.dropFirst().map { $0.trimmingCharacters(in: .whitespaces) } }
}
