import FoundationEssentials
import Wire

package func fuzzWire(_ bytes: [UInt8]) -> String? {
    let data = Data(bytes)
    let checks: [(Data) -> String?] = [
        { roundTrip(AgentMessage.self, $0) }, { roundTrip(Command<AgentOrder>.self, $0) }, { roundTrip(PoolMessage.self, $0) },
        { roundTrip(Command<PoolOrder>.self, $0) }, { roundTrip(ReceiverMessage.self, $0) },
        { roundTrip(Command<ReceiverOrder>.self, $0) }, { roundTrip(Challenge.self, $0) }, { roundTrip(Proof.self, $0) },
        { roundTrip(EnrollRequest.self, $0) }, { roundTrip(EnrollResponse.self, $0) },
    ]
    for check in checks {
        if let fault = check(data) { return fault }
    }
    return nil
}

/// What decodes must encode, and decode to what encodes the same.
private func roundTrip<Message: Codable>(_ type: Message.Type, _ data: Data) -> String? {
    guard let message = try? JSONDecoder().decode(type, from: data) else { return nil }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    guard let written = try? encoder.encode(message) else { return "a \(type) that does not encode" }
    guard let again = try? JSONDecoder().decode(type, from: written), let twice = try? encoder.encode(again) else {
        return "a \(type) that does not read back"
    }
    return written == twice ? nil : "a \(type) that is another one when it is written and read"
}
