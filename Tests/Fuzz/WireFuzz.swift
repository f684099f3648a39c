import FoundationEssentials
import Wire

private let messages: [any (Codable & Sendable).Type] = [
    AgentMessage.self, Command<AgentOrder>.self, AgentOrder.self, PoolMessage.self, Command<PoolOrder>.self, PoolOrder.self,
    ReceiverMessage.self, ReceiverOrder.self, Challenge.self, Proof.self, EnrollRequest.self, EnrollResponse.self,
]

package func fuzzWire(_ bytes: [UInt8]) -> String? {
    let data = Data(bytes)
    for type in messages {
        if let violation = roundTrip(type, data) { return violation }
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
