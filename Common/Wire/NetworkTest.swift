package import Units

/// A STUN or TURN server, as a page makes PeerConnections with it (RTCIceServer).
package struct ICEServer: Codable, Sendable, Hashable {
    /// `stun:host`, `turns:host:443?transport=tcp`.
    package var url: String
    /// Of TURN.
    package var username: String?
    package var credential: SecretOnWire?

    package init(url: String, username: String? = nil, credential: SecretOnWire? = nil) {
        self.url = url
        self.username = username
        self.credential = credential
    }
}

// Between control and a page that tries what the network around it lets through. `PROTOCOL.md` tells the conversation.

/// From the page: the offer of a PeerConnection that sends sound, which nobody hears.
package struct NetworkTestOffer: Codable, Sendable, Hashable {
    /// SDP.
    package var offer: String
    package init(offer: String) { self.offer = offer }
}

/// To the page.
package enum NetworkTestMessage: Message {
    /// The first one: what there is to try.
    case ways(NetworkTestWays)
    case answer(NetworkTestAnswer)
    /// The offer is not answered.
    case refused(NetworkTestRefused)
    case unknown(String)
}

package struct NetworkTestWays: Codable, Sendable, Hashable {
    /// Whether this server has rooms, so that an offer is answered.
    package var hasRooms: Bool
    /// TURN's credentials are good for two minutes.
    package var iceServers: [ICEServer]
    /// How long this socket and what was answered on it last.
    package var seconds: Int

    package init(hasRooms: Bool, iceServers: [ICEServer], seconds: Int) {
        self.hasRooms = hasRooms
        self.iceServers = iceServers
        self.seconds = seconds
    }
}

package struct NetworkTestAnswer: Codable, Sendable, Hashable {
    /// SDP.
    package var answer: String
    package init(answer: String) { self.answer = answer }
}

package struct NetworkTestRefused: Codable, Sendable, Hashable {
    /// For a person.
    package var text: String
    package init(text: String) { self.text = text }
}

extension NetworkTestMessage {
    package enum Kind: String, CaseIterable, Sendable { case ways, answer, refused }

    package var name: MessageName<Kind> {
        switch self {
        case .ways: .known(.ways)
        case .answer: .known(.answer)
        case .refused: .known(.refused)
        case .unknown(let type): .unknown(type)
        }
    }

    package func encodeBody(to container: inout KeyedEncodingContainer<MessageKeys>) throws {
        switch self {
        case .ways(let body): try container.encode(body, forKey: .body)
        case .answer(let body): try container.encode(body, forKey: .body)
        case .refused(let body): try container.encode(body, forKey: .body)
        case .unknown: break
        }
    }

    package init(kind: Kind, body: KeyedDecodingContainer<MessageKeys>) throws {
        switch kind {
        case .ways: self = .ways(try body.decode(NetworkTestWays.self, forKey: .body))
        case .answer: self = .answer(try body.decode(NetworkTestAnswer.self, forKey: .body))
        case .refused: self = .refused(try body.decode(NetworkTestRefused.self, forKey: .body))
        }
    }
}
