package import Wire

/// A HiLink stick: a modem that shows itself as a network card with a router behind it, and is spoken to by that router's pages.
package struct Stick: Sendable, Hashable {
    /// The network interface that it is behind.
    package var link: String
    /// The kernel's index of it; another one after each plugging in.
    package var index: Int
    /// What a person and control are told.
    package var figures: ModemTelemetry
    /// The number of its SIM card (ICCID), where it tells.
    package var simNumber: String?
}

/// The pages that are asked. Source: the sticks' own web pages (`main.js` of firmware 21 to 11.0) and github.com/Salamek/huawei-lte-api.
enum StickPage: String, Sendable, Hashable, CaseIterable {
    case session = "/api/webserver/SesTokInfo"
    case information = "/api/device/information"
    case status = "/api/monitoring/status"
    case signal = "/api/device/signal"
    case network = "/api/net/current-plmn"
    case pin = "/api/pin/status"
    /// Takes an order.
    case control = "/api/device/control"
}

/// What came of a question.
enum StickAnswer: Sendable, Hashable {
    case values([String: String])
    /// `OK`, as orders are answered.
    case text(String)
    case failure(StickError)
    /// Something answers there that does not speak as HiLink sticks do: a sentence's end.
    case foreign(String)
    /// It cannot be reached there: no stick has its page elsewhere.
    case closed(String)
    case silent(String)

    /// - Parameters:
    ///   - status: of HTTP.
    init(status: Int, body: [UInt8]) {
        guard status == 200 else {
            self = .foreign("HTTP \(status)")
            return
        }
        let document: FlatXML
        do throws(FlatXML.Fault) {
            document = try FlatXML(body)
        } catch {
            self = .foreign("no XML of theirs: \(error)")
            return
        }
        switch document.root {
        case "response" where !document.text.isEmpty: self = .text(document.text.bounded(to: 64))
        case "response": self = .values(document.values)
        case "error": self = .failure(StickError(code: document.values["code"].flatMap { Int($0) } ?? 0))
        default: self = .foreign("no XML of theirs")
        }
    }
}

/// What a stick refuses a question with.
struct StickError: Sendable, Hashable {
    let code: Int

    /// It does not know this page (100002), or not in this way (100006).
    var isUnsupported: Bool { code == 100_002 || code == 100_006 }
    /// It wants a login first.
    var wantsLogin: Bool { code == 100_003 }
    /// The session or its token has lapsed, or it wants one.
    var wantsSession: Bool { (125_001...125_003).contains(code) }

    var words: String {
        switch code {
        case 100_002, 100_006: "it does not know how (\(code))"
        case 100_003: "it asks for a login (100003)"
        case 100_004: "it is busy (100004)"
        case 125_001...125_003: "it does not take its own session (\(code))"
        default: "its error \(code)"
        }
    }
}
