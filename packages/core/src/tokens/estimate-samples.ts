/** What tokenizers make of a text. Claude's is that of Claude 2, the last one published: not in the mean. */
export interface Counts {
  o200k: number;
  llama3: number;
  gemma3: number;
  claude2: number;
}

export interface Sample {
  name: string;
  counts: Counts;
  text: string;
}

/** The weights were fitted to other texts. */
export const samples: Sample[] = [
  {
    name: "English prose",
    counts: { o200k: 246, llama3: 246, gemma3: 249, claude2: 250 },
    text: `The library closes at eight on weekdays, but the reading room stays open for another hour if somebody asks for it politely. Last winter I spent most of my evenings there, trying to finish a chapter about the river and the people who used to cross it by ferry before the bridge was built. The ferryman's granddaughter still lives in the yellow house near the mill. She told me that her grandfather kept a notebook of everyone he had ever carried: farmers with their geese, a wedding party in 1931, two soldiers who never came back, and a professor of botany who paid with a jar of honey because he had forgotten his purse.

When the bridge opened, nobody needed the ferry any longer, and the boat was sold to a restaurant that filled it with flowers. He did not complain. He said that a river is patient, and that people who hurry across it see only the other side. I have thought about that sentence quite often since then, usually while waiting for a train that is late. It would be easy to call it wisdom; I suspect he was simply tired, and glad to sleep until seven.

What remains of all this is a photograph, slightly out of focus, and a recipe for soup.`,
  },
  {
    name: "English answer in Markdown",
    counts: { o200k: 298, llama3: 297, gemma3: 316, claude2: 312 },
    text: `Yes, you can do this without downtime. The idea is to add the new column first, write to both columns for a while, copy the old values in small batches, and only then switch the readers over.

## Steps

1. **Add the column** as nullable. This takes a short lock and does not rewrite the table.
2. **Deploy** a version of the application that writes to both columns.
3. **Backfill** in batches of about 5,000 rows, with a pause between batches so that replicas can keep up.
4. **Verify** that no row differs: \`select count(*) from orders where total_cents is distinct from round(total * 100)\`.
5. **Switch reads** to the new column, and watch the error rate for a day.
6. **Drop** the old column in a later release.

### What can go wrong

- A long-running transaction blocks the \`alter table\`, and everything that comes after it queues up behind the lock. Set \`lock_timeout\` to two seconds and try again if it fails.
- The backfill competes with vacuum. If you see bloat growing, make the batches smaller.
- Somebody writes with an old version of the code during the deploy; that is why step 4 exists.

Let me know which version of PostgreSQL you are running (14, 15 or 16?) and roughly how large the table is, and I can give you exact commands.`,
  },
  {
    name: "German prose",
    counts: { o200k: 251, llama3: 316, gemma3: 265, claude2: 366 },
    text: `Als wir im Frühjahr die alte Werkstatt übernahmen, standen dort noch drei Drehbänke, ein Schweißgerät und ein Schrank voller unbeschrifteter Schlüssel. Der frühere Besitzer hatte beinahe fünfzig Jahre lang landwirtschaftliche Maschinen repariert, und an den Wänden hingen vergilbte Rechnungen neben Fotografien von Traktoren, die längst verschrottet sind. Meine Schwester wollte zuerst alles wegwerfen. Ich überredete sie, wenigstens die Werkzeuge zu behalten, weil man so gut geschmiedete Zangen heute kaum noch bekommt.

Inzwischen bauen wir hier Möbel: Tische, Regale, gelegentlich eine Treppe. Die Nachbarn haben sich an den Lärm gewöhnt, jedenfalls beschweren sie sich nicht mehr, seit wir mittags eine Pause einhalten. Schwieriger ist die Buchhaltung. Umsatzsteuervoranmeldung, Berufsgenossenschaft, Gewährleistungsfristen – solche Wörter kannte ich vorher nur aus der Zeitung. Trotzdem würde ich nicht tauschen wollen. Wenn abends das Licht schräg durch die hohen Fenster fällt und der Geruch von frisch gehobeltem Eschenholz in der Luft liegt, weiß ich wieder, warum wir uns dafür entschieden haben.`,
  },
  {
    name: "TypeScript",
    counts: { o200k: 430, llama3: 428, gemma3: 495, claude2: 470 },
    text: `import { createHash } from "node:crypto";
import type { Booking, Room } from "../models/types.ts";

interface Conflict {
  room: Room;
  first: Booking;
  second: Booking;
}

/** Bookings are half-open: one that ends at noon does not collide with one that begins at noon. */
export function findConflicts(bookings: readonly Booking[], rooms: Map<string, Room>): Conflict[] {
  const byRoom = new Map<string, Booking[]>();
  for (const booking of bookings) {
    const list = byRoom.get(booking.roomId) ?? [];
    list.push(booking);
    byRoom.set(booking.roomId, list);
  }
  const conflicts: Conflict[] = [];
  for (const [roomId, list] of byRoom) {
    const room = rooms.get(roomId);
    if (!room) throw new Error(\`Unknown room: \${roomId}\`);
    list.sort((a, b) => a.startsAt.getTime() - b.startsAt.getTime());
    for (let i = 1; i < list.length; i += 1) {
      const [first, second] = [list[i - 1], list[i]];
      if (first && second && first.endsAt > second.startsAt) {
        conflicts.push({ room, first, second });
      }
    }
  }
  return conflicts;
}

export async function withRetry<T>(attempt: () => Promise<T>, { tries = 3, delayMs = 250 } = {}): Promise<T> {
  let lastError: unknown;
  for (let n = 0; n < tries; n++) {
    try {
      return await attempt();
    } catch (error) {
      lastError = error;
      await new Promise((resolve) => setTimeout(resolve, delayMs * 2 ** n));
    }
  }
  throw lastError;
}

export const etagOf = (body: string) => \`"\${createHash("sha256").update(body).digest("base64url").slice(0, 27)}"\`;`,
  },
  {
    name: "Python",
    counts: { o200k: 423, llama3: 418, gemma3: 503, claude2: 474 },
    text: `from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Station:
    name: str
    latitude: float
    longitude: float
    readings: list[tuple[str, float]] = field(default_factory=list)

    @property
    def average(self) -> float | None:
        if not self.readings:
            return None
        return sum(value for _, value in self.readings) / len(self.readings)


def load(path: Path, *, skip_invalid: bool = False) -> dict[str, Station]:
    stations: dict[str, Station] = {}
    with path.open(newline="", encoding="utf-8") as handle:
        for line_number, row in enumerate(csv.DictReader(handle), start=2):
            try:
                station = stations.setdefault(
                    row["station_id"],
                    Station(row["name"], float(row["lat"]), float(row["lon"])),
                )
                station.readings.append((row["measured_at"], float(row["celsius"])))
            except (KeyError, ValueError) as error:
                if not skip_invalid:
                    raise SystemExit(f"{path}:{line_number}: {error}") from error
    return stations


def main() -> None:
    parser = argparse.ArgumentParser(description="Average temperature per station")
    parser.add_argument("file", type=Path)
    parser.add_argument("--skip-invalid", action="store_true")
    options = parser.parse_args()
    warmest = defaultdict(list)
    for station_id, station in load(options.file, skip_invalid=options.skip_invalid).items():
        if (average := station.average) is not None:
            warmest[round(average)].append(station_id)
    for temperature in sorted(warmest, reverse=True)[:10]:
        print(f"{temperature:>4}°C  {', '.join(sorted(warmest[temperature]))}")


if __name__ == "__main__":
    main()`,
  },
  {
    name: "JSON, indented",
    counts: { o200k: 477, llama3: 475, gemma3: 551, claude2: 472 },
    text: `{
  "orderId": "ord_7f3a91c2e8b04d55",
  "createdAt": "2026-03-14T09:26:53.589Z",
  "status": "partially_shipped",
  "customer": {
    "id": 482913,
    "email": "nadia.k@example.com",
    "name": { "first": "Nadia", "last": "Kowalczyk" },
    "addresses": [
      { "type": "billing", "street": "Lindenstraße 14", "city": "Leipzig", "postalCode": "04177", "country": "DE" },
      { "type": "shipping", "street": "12 Harbour Road", "city": "Cork", "postalCode": "T12 X8PC", "country": "IE" }
    ]
  },
  "items": [
    { "sku": "LMP-2210-BK", "title": "Desk lamp, black", "quantity": 2, "unitPrice": 39.9, "taxRate": 0.19, "shipped": true },
    { "sku": "CBL-0042-3M", "title": "Extension cable, 3 m", "quantity": 1, "unitPrice": 12.5, "taxRate": 0.19, "shipped": true },
    { "sku": "CHR-7781-GY", "title": "Office chair, grey", "quantity": 1, "unitPrice": 249, "taxRate": 0.19, "shipped": false }
  ],
  "totals": { "net": 341.3, "tax": 64.85, "gross": 406.15, "currency": "EUR" },
  "payments": [{ "method": "card", "last4": "4242", "authorizedAt": "2026-03-14T09:26:55.102Z", "capturedAt": null }],
  "metadata": { "source": "web", "campaign": null, "experiment": { "checkout_v2": true, "free_shipping": false } }
}`,
  },
  {
    name: "JSON, dense",
    counts: { o200k: 344, llama3: 336, gemma3: 372, claude2: 351 },
    text: `{"jsonrpc":"2.0","id":17,"result":{"tools":[{"name":"search_flights","description":"Finds flights between two airports on a given day. Prices are in the currency of the account.","inputSchema":{"type":"object","properties":{"from":{"type":"string","description":"IATA code of the airport of departure, such as TLV","minLength":3,"maxLength":3},"to":{"type":"string","description":"IATA code of the airport of arrival","minLength":3,"maxLength":3},"date":{"type":"string","format":"date"},"passengers":{"type":"integer","minimum":1,"maximum":9,"default":1},"cabin":{"type":"string","enum":["economy","premium_economy","business","first"]}},"required":["from","to","date"],"additionalProperties":false}},{"name":"get_weather","description":"Forecast for a place, for up to ten days.","inputSchema":{"type":"object","properties":{"latitude":{"type":"number"},"longitude":{"type":"number"},"days":{"type":"integer","minimum":1,"maximum":10},"units":{"type":"string","enum":["metric","imperial"]}},"required":["latitude","longitude"]}}],"nextCursor":null},"rows":[[1718,"a",0.25,true],[1719,"b",13.75,false],[1720,"c",-4.5,null],[1721,"d",88.125,true]],"trace":"4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}`,
  },
  {
    name: "Hebrew",
    counts: { o200k: 359, llama3: 931, gemma3: 443, claude2: 855 },
    text: `בשנה שעברה עברנו לגור במושב קטן בצפון, לא רחוק מהכינרת. בהתחלה חשבנו שנתגעגע לעיר, לבתי הקפה ולקולנוע, אבל די מהר גילינו שיש לנו מספיק עבודה בגינה ובבית כדי למלא כל ערב. אשתי פתחה סטודיו לקרמיקה במחסן הישן, ואני ממשיך לעבוד מהבית כמתכנת בחברה מתל אביב. פעם בשבוע אני נוסע למשרד ברכבת, וזו הזדמנות טובה לקרוא ספר או פשוט לישון.

הילדים הסתגלו מהר יותר מכולנו. הבן הגדול לומד עכשיו בכיתה ו', והוא כבר מכיר כל שביל וכל מעיין באזור. הבת הקטנה החליטה שהיא רוצה להיות וטרינרית, ומאז יש לנו בחצר שתי עזים, כלב אחד, ותרנגולת שמסרבת להטיל ביצים. השכנים שלנו, זוג מבוגר שגר כאן כבר ארבעים שנה, מלמדים אותנו מתי לגזום את עצי הזית ואיך שומרים על הקישואים מפני הדורבנים.

הדבר היחיד שקשה לי איתו הוא החום באוגוסט. גם בעשר בלילה אי אפשר לשבת בחוץ, והמזגן עובד ללא הפסקה. אבל כשמגיע הגשם הראשון, והאדמה מתחילה להריח, אני נזכר למה באנו לכאן. לפעמים אני שואל את עצמי אם נישאר כאן לתמיד. אין לי תשובה, וגם אין לי צורך בה: מספיק לי לדעת שבשבת הקרובה נאכל צהריים מתחת לעץ התות עם כל המשפחה.`,
  },
  {
    name: "Arabic",
    counts: { o200k: 322, llama3: 389, gemma3: 341, claude2: 928 },
    text: `كان جدي يملك دكانًا صغيرًا في السوق القديم، يبيع فيه التوابل والقهوة والأعشاب المجففة. كنت أزوره كل يوم جمعة بعد الصلاة، فيجلسني على كيس من العدس ويعطيني حفنة من اللوز المحمص. لم يكن يتكلم كثيرًا، لكنه كان يعرف أسماء جميع الزبائن وأخبار عائلاتهم، ويتذكر ما اشتراه كل واحد منهم في العام الماضي. كان يقول إن الرائحة ذاكرة لا تكذب، وإن من يعرف رائحة الهيل لا يضيع في المدينة أبدًا.

بعد وفاته باع أعمامي الدكان لرجل يصلح الهواتف المحمولة. أصبحت الرفوف الخشبية مليئة بالأسلاك والشاشات المكسورة، واختفت الروائح التي كنت أحبها. عندما أمر من هناك اليوم، أتوقف قليلًا أمام الباب وأحاول أن أتخيل المكان كما كان. في بعض الأحيان يخرج صاحب المحل الجديد ويسألني إن كنت أحتاج إلى شيء، فأبتسم وأقول له إنني أنتظر صديقًا.

في الصيف الماضي وجدت في بيت جدتي دفترًا كتب فيه جدي وصفات الخلطات التي كان يبيعها. كان الخط صعب القراءة والصفحات صفراء، لكنني استطعت مع أختي أن نفهم معظمها. قررنا أن نجرب كل أسبوع خلطة جديدة، وأن نرسل منها إلى أقاربنا في الخارج. هكذا عادت الرائحة إلى مطابخ كثيرة، وإن كان الدكان لم يعد موجودًا.`,
  },
  {
    name: "Russian",
    counts: { o200k: 343, llama3: 385, gemma3: 341, claude2: 647 },
    text: `В прошлом году мы наконец решились поехать на север, туда, где летом почти не темнеет. Поезд шёл двое суток, и за окном тянулись бесконечные леса, болота и маленькие станции с деревянными вокзалами. На одной из них проводница купила у старушки ведро морошки и угостила весь вагон. Попутчики рассказывали истории: кто-то ехал к дочери, кто-то возвращался с вахты, а молодой учитель вёз в посёлок сорок книг и глобус.

Когда мы добрались до места, нас встретил хозяин дома, молчаливый рыбак с удивительно громким смехом. Он показал, где брать воду, как топить печь и почему нельзя оставлять дверь открытой после заката. Первые дни мы только спали и гуляли вдоль берега. Потом научились чистить рыбу, различать голоса птиц и не обращать внимания на комаров. Связи там почти нет, поэтому новости приходили с опозданием на неделю, и выяснилось, что большинство из них можно было вовсе не узнавать.

Уезжать не хотелось. В последний вечер мы сидели на пристани, пили чай с брусничным вареньем и смотрели, как солнце катится по краю моря, не желая опускаться. Хозяин сказал, что каждый, кто сюда приезжает, оставляет какую-нибудь вещь, чтобы был повод вернуться. Я оставил перочинный нож. Теперь придётся ехать снова.`,
  },
  {
    name: "Chinese",
    counts: { o200k: 334, llama3: 343, gemma3: 279, claude2: 446 },
    text: `我家楼下有一家很小的面馆,老板姓陈,今年六十多岁。每天早上五点半,他就开始和面、熬汤,到了七点钟,门口已经排起了长队。他的牛肉面并不贵,可是味道一直没有变过。有人问他为什么不开分店,他笑着说:“一个人只有两只手,开了分店,面就不是我做的了。”

去年冬天,陈老板生了一场病,面馆关了整整两个月。那段时间,附近的居民都觉得少了点什么。有人把祝福写在便利贴上,贴满了卷帘门;还有一个小学生画了一碗冒着热气的面,下面写着“爷爷快点好起来”。等到重新开张的那天,队伍一直排到了街角,连平时不吃早饭的人也来了。

后来,他的女儿辞掉了在上海的工作,回来跟他学做面。刚开始她总是掌握不好火候,汤不是太淡就是太咸。陈老板从不批评她,只是把自己那一碗推到她面前,让她再尝一次。半年以后,我发现自己已经分不出哪一碗是父亲做的,哪一碗是女儿做的。也许这就是手艺传下去的方式:没有课本,也没有考试,只有日复一日的耐心。`,
  },
  {
    name: "Japanese",
    counts: { o200k: 382, llama3: 344, gemma3: 271, claude2: 496 },
    text: `祖母の家は、海から歩いて十分ほどの坂の途中にありました。夏休みになると、私は弟と一緒に一か月ほどそこで過ごしました。朝は早く起きて畑のトマトやきゅうりを収穫し、昼は波の音を聞きながら宿題をして、夕方になると近所の子どもたちと堤防で釣りをしました。大きな魚が釣れたことは一度もありませんでしたが、それでも毎日楽しくて仕方がありませんでした。

祖母は料理が上手で、特に夏野菜の煮びたしは絶品でした。作り方を何度も教えてもらったのに、自分で作ってみるとどうしても同じ味になりません。「急がないで、火を止めてから一晩待つのよ」と言われたことを思い出したのは、ずっと後になってからです。待つことも調理の一部なのだと、大人になってようやく分かりました。

今年の夏、久しぶりにその町を訪れました。家はもう人手に渡っていて、庭には見知らぬ車が停まっていました。少し寂しい気持ちで坂を下りていくと、堤防では小学生が三人、昔の私たちと同じように釣り糸を垂れていました。「釣れた?」と声をかけると、一人が振り向いて、空っぽのバケツを誇らしげに見せてくれました。`,
  },
  {
    name: "Korean",
    counts: { o200k: 356, llama3: 348, gemma3: 335, claude2: 625 },
    text: `작년 봄에 나는 회사를 그만두고 시골에서 작은 책방을 열었다. 처음에는 모두가 말렸다. 요즘 누가 책을 사느냐고, 그것도 버스가 하루에 네 번밖에 오지 않는 동네에서 무슨 장사를 하느냐고 물었다. 나도 확신은 없었지만, 더 늦기 전에 한 번쯤은 하고 싶은 일을 해 보고 싶었다. 낡은 창고를 빌려 벽을 하얗게 칠하고, 친구들이 보내 준 책장을 들여놓았다.

문을 연 첫날 손님은 딱 한 명이었다. 옆집 할머니가 감자를 한 봉지 들고 오셔서, 글씨가 큰 책이 있느냐고 물으셨다. 그 뒤로 할머니는 매주 화요일마다 찾아오셨고, 어느새 동네 어르신 여덟 분이 모이는 낭독 모임이 생겼다. 소리 내어 읽다가 누군가 옛날이야기를 시작하면 책은 덮어 두고 한참 동안 웃고 떠들곤 했다.

겨울이 되자 아이들도 하나둘 들르기 시작했다. 난로 옆에서 숙제를 하고, 만화책을 보다가, 해가 지면 집으로 돌아갔다. 매출은 여전히 보잘것없지만 월세는 겨우 낼 수 있다. 가끔 도시에서 일하던 때가 그립지 않으냐는 질문을 받는다. 그럴 때마다 나는 창밖으로 보이는 논과 산을 가리킨다. 대답은 그것으로 충분하다.`,
  },
  {
    name: "Hebrew chat with code, English and emoji",
    counts: { o200k: 307, llama3: 519, gemma3: 363, claude2: 497 },
    text: `היי! 👋 ניסיתי להריץ את \`docker compose up\` אבל קיבלתי את השגיאה הבאה:

\`\`\`
Error response from daemon: driver failed programming external connectivity on endpoint api-1:
Bind for 0.0.0.0:8080 failed: port is already allocated
\`\`\`

מה לעשות? כבר ניסיתי \`docker ps\` וגם \`lsof -i :8080\`, ולא ראיתי שום תהליך שתופס את הפורט. אני עובד על macOS 15.2 עם Docker Desktop 4.37 🐳.

בטח! השגיאה אומרת שמשהו אחר כבר משתמש בפורט 8080. הנה כמה דברים לבדוק:

1. **קונטיינרים ישנים** – הרץ \`docker ps -a --filter "publish=8080"\` ומחק את מה שלא צריך.
2. **AirPlay Receiver** – ב‑macOS הוא תופס את 5000 ו‑7000, לא את 8080, אז זה כנראה לא הגורם.
3. **שינוי הפורט** – אפשר לערוך את \`compose.yaml\`:

\`\`\`yaml
services:
  api:
    ports:
      - "8081:8080"
\`\`\`

אם זה עדיין לא עובד, שלח לי את הפלט של \`docker compose config\` ואת ה-log המלא. Good luck! 🙏✨ שתהיה שבת שלום, и спасибо за терпение :) 谢谢!`,
  },
];
