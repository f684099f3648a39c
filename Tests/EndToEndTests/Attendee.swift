import Foundation
import Support

/// Somebody with a camera and a microphone who comes to meetings by their page.
struct Attendee {
    let page: Dashboard
    /// As the others see it.
    let name: String

    /// - Parameters:
    ///   - email: nil for who has no account.
    ///   - place: the browser that they have, and by which address they know the server; else one beside the server.
    init(
        _ name: String, at desk: FrontDesk, as email: String? = nil, _ password: String = "",
        with place: (browser: Chromium, server: String)? = nil
    ) async throws {
        self.name = name
        let browser: Chromium
        if let place { browser = place.browser } else { browser = try await Chromium(on: desk.stage, hasCamera: true) }
        page = Dashboard(browser: browser, server: place?.server ?? desk.server)
        try await browser.open(page.server + "/")
        try await browser.prepare(Self.script)
        if let email { try await page.enter(email, password) }
    }

    /// Goes to a meeting's door and, as a guest, says who they are.
    func knock(at path: String) async throws {
        try await page.go(path)
        try await page.wait("strata.named('button', 'Come in') !== null", "\(name) is at the door")
        if try await page.run("strata.named('input', 'Your name') !== null") as? Bool == true { try await page.fill("Your name", name) }
        try await page.press("Come in")
    }

    /// As `knock`, and in.
    func enter(_ path: String) async throws {
        try await knock(at: path)
        try await page.wait("test.tile('\(name)') !== null", "\(name) is in the meeting", within: .seconds(30))
    }

    /// Waits until so many sounds are heard and so many pictures move, of those that come.
    func gets(voices: Int, pictures: Int, _ what: String) async throws {
        let last = "test.comes().then(one => JSON.stringify(one))"
        do {
            try await page.wait(
                "test.comes().then(one => one.voices === \(voices) && one.pictures === \(pictures))", what, within: .seconds(40))
        } catch {
            throw SupportFailure("\(name): \(error); what comes: \(try await page.run(last) ?? "nothing")")
        }
    }

    /// Waits until somebody's picture has been painted so many times more, in their own tile.
    func sees(_ other: String, _ times: Int = 15) async throws {
        let before = try await page.run("test.painted('\(other)')") as? Double ?? 0
        try await page.wait("test.painted('\(other)') > \(Int(before) + times)", "\(name) sees \(other)", within: .seconds(40))
    }

    /// Their devices are Chromium's fakes, but for the sound: of that echo cancellation and noise suppression would leave nothing. Whatever
    /// the page asks for and connects to is kept.
    static let script = """
        window.test = {
          asked: [], peers: [], sockets: [],
          tile: name => [...document.querySelectorAll('.tile:not(.screen)')].find(one => one.dataset.name === name) ?? null,
          painted: name => test.tile(name)?.querySelector('video')?.getVideoPlaybackQuality().totalVideoFrames ?? 0,
          async counts() {
            const all = new Map();
            for (const [at, peer] of test.peers.entries()) {
              if (peer.connectionState !== 'connected') continue;
              for (const one of (await peer.getStats()).values()) if (one.type === 'inbound-rtp') all.set(at + one.id, one);
            }
            return all;
          },
          async comes() {
            const before = await test.counts();
            await new Promise(done => setTimeout(done, 700));
            const result = { voices: 0, pictures: 0 };
            for (const [id, one] of await test.counts()) {
              if ((one.totalAudioEnergy ?? 0) - (before.get(id)?.totalAudioEnergy ?? 0) > 1e-5) result.voices++;
              if ((one.framesDecoded ?? 0) - (before.get(id)?.framesDecoded ?? 0) > 2) result.pictures++;
            }
            return result;
          },
        };
        (() => {
          const media = navigator.mediaDevices;
          if (!media) return;
          let sound;
          const tone = () => {
            sound ??= new AudioContext();
            const note = sound.createOscillator(), volume = sound.createGain(), out = sound.createMediaStreamDestination();
            volume.gain.value = 0.3;
            note.connect(volume).connect(out);
            note.start();
            return out.stream.getAudioTracks()[0];
          };
          const own = media.getUserMedia.bind(media);
          media.getUserMedia = async wish => {
            test.asked.push(wish.audio?.deviceId?.exact ?? '');
            const found = new MediaStream();
            if (wish.video) found.addTrack((await own({ video: { width: 640, height: 360, frameRate: 15 } })).getVideoTracks()[0]);
            if (wish.audio) {
              for (const track of (await own({ audio: wish.audio })).getTracks()) track.stop();
              found.addTrack(tone());
            }
            return found;
          };
          media.getDisplayMedia = async () => {
            const canvas = Object.assign(document.createElement('canvas'), { width: 960, height: 540 }), pen = canvas.getContext('2d');
            let hue = 0;
            setInterval(() => {
              pen.fillStyle = `hsl(${hue += 7}, 80%, 50%)`;
              pen.fillRect(0, 0, canvas.width, canvas.height);
            }, 80);
            return canvas.captureStream(12);
          };
          for (const [name, kept] of [['RTCPeerConnection', test.peers], ['WebSocket', test.sockets]]) {
            const Own = window[name];
            window[name] = class extends Own {
              constructor(...all) {
                super(...all);
                kept.push(this);
              }
            };
          }
        })();
        """
}
