## Ensembles
ensemble-conformers = 단백질 형태 (탄성 네트워크)
ensemble-morph = { $first }에서 { $second }까지
ensemble-show-morph = 두 상태 사이의 변화 보기
ensemble-file = { $name }의 모델
ensemble-show = 단백질 형태 보기
ensemble-hide = 결합 자세로 돌아가기
ensemble-close = 앙상블 닫기
ensemble-making = 모델을 비교하는 중…
ensemble-play = 재생
ensemble-pause = 일시 정지
ensemble-model = 모델
ensemble-place = { $count }개 중 { $number }번째 · 첫 모델과의 RMSD { $rmsd } Å
ensemble-rmsf = RMSF, Å
ensemble-note = 그래프를 누르면 그 잔기로 갑니다. 모델은 첫 모델에 겹쳐 두었어요.
ensemble-note-morph = 시뮬레이션이 아니라 보간한 경로예요. 가장 적게 움직이는 부분에 겹쳐 두었어요. 그래프를 누르면 그 잔기로 갑니다.
ensemble-show-models = 모델 비교
