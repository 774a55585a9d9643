## Lessons
lessons-hint = 수업을 열어 보세요. 링크를 누르면 창이 움직이고, 할 일은 끝나면 저절로 표시돼요
lessons-own = 나만의 수업: en.md나 ko.md가 든 폴더를 { $folder }에 넣으세요
lessons-again = 폴더 다시 읽기
lessons-back = 모든 수업
lesson-done = 할 일 { $count }개 가운데 { $done }개 끝
lesson-problem = 수업을 쓴 분께: { $what }을(를) 이해하지 못했어요
lesson-task = 할 일: { $what }
lesson-task-done = 끝: { $what }
lesson-right = 맞아요
lesson-wrong = 아쉬워요. 다시 생각해 보세요
lesson-finished = 모두 끝냈어요. 잘했어요!

## Tour
tour-step = { $count }단계 가운데 { $step }단계
tour-welcome = 환영해요
tour-welcome-text = 2분 뒤면 호르몬이 수용체에 어떻게 결합하는지 예측해 보게 돼요. 이 컴퓨터에서, 아무것도 밖으로 보내지 않고요.
tour-begin = 시작
tour-skip = 나중에
tour-sample = 예제 열기
tour-sample-text = 예제는 쿼리예요. 단백질 구조와 리간드, 그리고 결합할 자리가 들어 있어요. 바로 실행할 수 있고, 내 쿼리는 파일에서 시작해요.
tour-open = 예제 열기
tour-predict = 결합 예측하기
tour-predict-text = 왼쪽에 예측할 것이 있어요. 수용체, 프로게스테론과 그 그림, 포켓이에요. 무엇이든 바꾸고 되돌릴 수 있어요. 이제 시작해요.
tour-start = 예측 시작
tour-wait = 실행되는 동안
tour-wait-text = 끌면 돌고, 스크롤하면 확대되고, 원자를 두 번 누르면 그곳으로 가요. 예측은 따로 도는 작업이라 창을 닫아도 계속돼요.
tour-read = 결과 읽기
tour-read-text = 오른쪽에 자세가 좋은 순서로 있고 접촉과 검사가 딸려 있어요. 초록색이 예측, 분홍색이 결정 구조예요. 얼마나 가까운가요? 나머지는 Ctrl+K로 모두 찾을 수 있어요.
tour-lessons = 수업으로 이어 가기
tour-finish = 마치기
tour-open-own = 파일 열기
tour-no-samples = 이 프로그램에 샘플이 함께 오지 않았어요. 구조나 쿼리 파일을 열고 리간드를 더해 주세요.
