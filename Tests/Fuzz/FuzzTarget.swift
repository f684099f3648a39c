/// A parser that hostile bytes reach, and what must hold for every input.
package enum FuzzTarget: String, CaseIterable, Sendable {
    case requestHead, responseHead, chunked, url, toml, wire, webSocket, mpegts, handshake, sealed, report, rtp, rtcp, ownPicture, slate,
        stick, invitations, pictureFile, redaction, pageStack, traceparent,
        fragments, preview, stun, ice, hls, srtp, dtls, mediaRTP, mediaRTCP, sdp, sdpFragment, descriptors,
        jsonPlace, meetingSlug, xml, storeAnswer, release, agentReport, clientHello, boardFile, boardList, serverOrder,
        trackLog

    /// Runs one input through the parser. A trap in it is a finding by itself.
    /// - Returns: the invariant that did not hold; nil where all held.
    package func violation(_ bytes: [UInt8]) -> String? {
        switch self {
        case .requestHead: fuzzRequestHead(bytes)
        case .responseHead: fuzzResponseHead(bytes)
        case .chunked: fuzzChunked(bytes)
        case .url: fuzzURL(bytes)
        case .toml: fuzzTOML(bytes)
        case .wire: fuzzWire(bytes)
        case .webSocket: fuzzWebSocket(bytes)
        case .mpegts: fuzzMPEGTS(bytes)
        case .handshake: fuzzHandshake(bytes)
        case .sealed: fuzzSealed(bytes)
        case .report: fuzzReport(bytes)
        case .rtp: fuzzRTP(bytes)
        case .rtcp: fuzzRTCP(bytes)
        case .ownPicture: fuzzOwnPicture(bytes)
        case .slate: fuzzSlate(bytes)
        case .stick: fuzzStick(bytes)
        case .invitations: fuzzInvitations(bytes)
        case .pictureFile: fuzzPictureFile(bytes)
        case .redaction: fuzzRedaction(bytes)
        case .pageStack: fuzzPageStack(bytes)
        case .traceparent: fuzzTraceparent(bytes)
        case .fragments: fuzzFragments(bytes)
        case .preview: fuzzPreview(bytes)
        case .stun: fuzzSTUN(bytes)
        case .ice: fuzzICE(bytes)
        case .hls: fuzzHLS(bytes)
        case .srtp: fuzzSRTP(bytes)
        case .dtls: fuzzDTLS(bytes)
        case .mediaRTP: fuzzMediaRTP(bytes)
        case .mediaRTCP: fuzzMediaRTCP(bytes)
        case .sdp: fuzzSDP(bytes)
        case .sdpFragment: fuzzSDPFragment(bytes)
        case .descriptors: fuzzDescriptors(bytes)
        case .jsonPlace: fuzzJSONPlace(bytes)
        case .meetingSlug: fuzzMeetingSlug(bytes)
        case .xml: fuzzXML(bytes)
        case .storeAnswer: fuzzStoreAnswer(bytes)
        case .release: fuzzRelease(bytes)
        case .agentReport: fuzzAgentReport(bytes)
        case .clientHello: fuzzClientHello(bytes)
        case .boardFile: fuzzBoardFile(bytes)
        case .boardList: fuzzBoardList(bytes)
        case .serverOrder: fuzzServerOrder(bytes)
        case .trackLog: fuzzTrackLog(bytes)
        }
    }
}

/// What a parser made of an input: a value, or that it refused it.
enum Outcome<Value: Equatable>: Equatable {
    case value(Value)
    case more
    case refused

    var value: Value? {
        if case .value(let value) = self { return value }
        return nil
    }
}
